//! Providers that answer late, twice, wrongly or never: money is credited once, or given back, never both.

use moim_kit::id::MemberId;
use moim_payment::Config;

use crate::stage::*;

/// A limit that comes soon.
fn impatient() -> Config {
    Config { top_up_limit_ms: 400, ..quick() }
}

moim_testbed::on_both_databases! {
    async fn a_late_payment_is_credited_by_itself_and_its_key_answers_it(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, key) = (MemberId::fresh(), fresh());
        let pending = stage.top_up(member, &key, 1_000, "sandbox-late-600").await.unwrap_err();
        assert_eq!(pending.reason(), "TOP_UP_PENDING");
        stage.has(member, 1_000, 0).await;
        let wallet = stage.top_up(member, &key, 1_000, "sandbox-late-600").await.unwrap();
        assert_eq!(wallet.balance_krw, 1_000);
        assert_eq!(stage.entries(member).await.len(), 1);
        stage.audited().await;
    }

    async fn a_payment_whose_answer_was_lost_is_found(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, key) = (MemberId::fresh(), fresh());
        let pending = stage.top_up(member, &key, 1_000, "sandbox-lost").await.unwrap_err();
        assert_eq!(pending.reason(), "TOP_UP_PENDING");
        stage.has(member, 1_000, 0).await;
        stage.top_up(member, &key, 1_000, "sandbox-lost").await.unwrap();
        stage.has(member, 1_000, 0).await;
        stage.audited().await;
    }

    async fn a_payment_told_twice_is_credited_once(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, key) = (MemberId::fresh(), fresh());
        stage.top_up(member, &key, 1_000, "sandbox-twice").await.unwrap();
        stage.top_up(member, &key, 1_000, "sandbox-twice").await.unwrap();
        stage.all_looked_at(1).await;
        assert_eq!(stage.wallet(member).await.balance_krw, 1_000);
        assert_eq!(stage.entries(member).await.len(), 1);
        stage.audited().await;
    }

    async fn a_payment_never_decided_is_cancelled_and_stays_so(bed: Bed) {
        let stage = Stage::with(bed, impatient()).await;
        let (member, key) = (MemberId::fresh(), fresh());
        let pending = stage.top_up(member, &key, 1_000, "sandbox-never").await.unwrap_err();
        assert_eq!(pending.reason(), "TOP_UP_PENDING");
        stage.top_up_is(&key, "CANCELLED").await;
        for _ in 0..2 {
            let refused = stage.top_up(member, &key, 1_000, "sandbox-never").await.unwrap_err();
            assert_eq!(refused.reason(), "TOP_UP_DECLINED");
        }
        assert_eq!(stage.wallet(member).await.balance_krw, 0);
        stage.audited().await;
    }

    async fn money_that_comes_after_the_limit_is_given_back_and_never_credited(bed: Bed) {
        let stage = Stage::with(bed, impatient()).await;
        let (member, key) = (MemberId::fresh(), fresh());
        let late = "sandbox-late-3600000";
        stage.top_up(member, &key, 1_000, late).await.unwrap_err();
        stage.top_up_is(&key, "CANCELLED").await;
        stage.bed.clock.set(stage.bed.clock.now().after(MINUTE * 61));
        // Now the provider says that it was paid.
        let told = stage.client().take_webhook(notice(&stage, "m-1", &key)).await;
        told.unwrap();
        stage.all_looked_at(1).await;
        stage.top_up_is(&key, "CANCELLED").await;
        let refused = stage.top_up(member, &key, 1_000, late).await.unwrap_err();
        assert_eq!(refused.reason(), "TOP_UP_DECLINED");
        assert!(stage.entries(member).await.is_empty());
        stage.audited().await;
    }

    async fn money_for_a_wallet_that_filled_up_meanwhile_goes_back(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(1_000_000).await;
        let seat = stage.seat(member, 900_000);
        stage.tell(&seat, 1);
        stage.has(member, 100_000, 900_000).await;
        stage.tell(&then(&seat, moim_proto::schedule::v1::SeatPhase::Granted), 2);
        stage.has(member, 100_000, 0).await;
        // While this is on its way, the refund fills the wallet: a refund is never refused.
        let key = fresh();
        stage.top_up(member, &key, 1_500_000, "sandbox-late-1500").await.unwrap_err();
        stage.tell(&returned(&seat, true), 3);
        stage.has(member, 1_000_000, 0).await;
        stage.top_up_is(&key, "CANCELLED").await;
        let refused = stage.top_up(member, &key, 1_500_000, "sandbox-late-1500").await;
        assert_eq!(refused.unwrap_err().reason(), "WALLET_FULL");
        assert_eq!(stage.wallet(member).await.balance_krw, 1_000_000);
        stage.audited().await;
    }
}
