//! Money in: what is refused, and what the same key answers.

use moim_kit::id::MemberId;
use moim_payment::Config;
use moim_proto::payment::v1::*;
use moim_proto::schedule::v1::SeatPhase;

use crate::stage::*;

moim_testbed::on_both_databases! {
    async fn a_wallet_never_used_is_empty_and_topping_up_fills_it(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        assert_eq!(stage.wallet(member).await, Wallet {
            member_id: member.to_string(), balance_krw: 0, held_krw: 0,
        });
        let wallet = stage.top_up(member, &fresh(), 10_000, "").await.unwrap();
        assert_eq!(wallet.balance_krw, 10_000);
        let wallet = stage.top_up(member, &fresh(), 5_000, "sandbox").await.unwrap();
        assert_eq!(wallet.balance_krw, 15_000);
        assert_eq!(stage.wallet(member).await, wallet);
        stage.audited().await;
    }

    async fn the_same_key_answers_the_same_and_charges_once(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, key) = (MemberId::fresh(), fresh());
        let first = stage.top_up(member, &key, 10_000, "").await.unwrap();
        stage.top_up(member, &fresh(), 7_000, "").await.unwrap();
        assert_eq!(stage.top_up(member, &key, 10_000, "").await.unwrap(), first);
        assert_eq!(stage.wallet(member).await.balance_krw, 17_000);
        for (amount, payment_key) in [(10_001, ""), (10_000, "sandbox")] {
            let refused = stage.top_up(member, &key, amount, payment_key).await.unwrap_err();
            assert_eq!(refused.reason(), "IDEMPOTENCY_KEY_REUSED");
        }
        // The key is the order at the provider: what one has paid for credits nobody else.
        let refused = stage.top_up(MemberId::fresh(), &key, 10_000, "").await.unwrap_err();
        assert_eq!(refused.reason(), "IDEMPOTENCY_KEY_REUSED");
        stage.audited().await;
    }

    async fn odd_amounts_and_keys_are_refused_and_leave_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        for amount in [i64::MIN, -1, 0, 2_000_001, i64::MAX] {
            let refused = stage.top_up(member, &fresh(), amount, "").await.unwrap_err();
            assert_eq!((refused.reason(), refused.field()), ("AMOUNT_INVALID", Some("amount")));
        }
        for payment_key in ["한글", "a b", "\0", &"x".repeat(201)] {
            let refused = stage.top_up(member, &fresh(), 1_000, payment_key).await.unwrap_err();
            assert_eq!(refused.reason(), "PAYMENT_KEY_INVALID");
        }
        let request = TopUpRequest { amount_krw: 1_000, payment_key: String::new() };
        let refused = ask!(stage, member, top_up, request.clone()).unwrap_err();
        assert_eq!(refused.reason(), "IDEMPOTENCY_KEY_REQUIRED");
        let call = stage.bed.anonymous().keyed(Some("key"));
        let refused = stage.client().top_up(call.request(request)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unauthenticated);
        assert!(stage.entries(member).await.is_empty());
    }

    async fn a_wallet_takes_no_more_than_the_law_allows(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(1_500_000).await;
        let refused = stage.top_up(member, &fresh(), 500_001, "").await.unwrap_err();
        assert_eq!((refused.reason(), refused.field()), ("WALLET_FULL", Some("amount")));
        stage.top_up(member, &fresh(), 500_000, "").await.unwrap();
        assert_eq!(stage.wallet(member).await.balance_krw, 2_000_000);
    }

    async fn a_refund_is_never_refused_however_full_the_wallet(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(2_000_000).await;
        let seat = stage.seat(member, 1_000_000);
        stage.tell(&seat, 1);
        stage.order(&seat, OrderState::MoneyHeld).await;
        stage.tell(&then(&seat, SeatPhase::Granted), 2);
        stage.order(&seat, OrderState::Confirmed).await;
        stage.top_up(member, &fresh(), 1_000_000, "").await.unwrap();
        stage.tell(&returned(&seat, true), 3);
        stage.has(member, 3_000_000, 0).await;
        stage.audited().await;
    }

    async fn a_declined_payment_stays_declined(bed: Bed) {
        let stage = Stage::set(bed).await;
        for payment_key in ["sandbox-declined", "sandbox-refunded", "nonsense"] {
            let (member, key) = (MemberId::fresh(), fresh());
            for _ in 0..2 {
                let refused = stage.top_up(member, &key, 1_000, payment_key).await.unwrap_err();
                assert_eq!(refused.reason(), "TOP_UP_DECLINED");
            }
            assert_eq!(stage.wallet(member).await.balance_krw, 0);
        }
        stage.audited().await;
    }

    async fn only_a_few_top_ups_of_a_member_are_undecided_at_once(bed: Bed) {
        let stage = Stage::with(bed, Config { pending_top_ups: 2, ..quick() }).await;
        let member = MemberId::fresh();
        let keys = [fresh(), fresh()];
        for key in &keys {
            let pending = stage.top_up(member, key, 1_000, "sandbox-never").await.unwrap_err();
            assert_eq!(pending.reason(), "TOP_UP_PENDING");
            assert!(pending.code().is_retryable());
        }
        let refused = stage.top_up(member, &fresh(), 1_000, "").await.unwrap_err();
        assert_eq!(refused.reason(), "TOO_MANY_TOP_UPS");
        // The same one asks on, and others are not held up.
        let pending = stage.top_up(member, &keys[0], 1_000, "sandbox-never").await.unwrap_err();
        assert_eq!(pending.reason(), "TOP_UP_PENDING");
        stage.member(1_000).await;
    }

    async fn an_unknown_provider_is_no_room(bed: Bed) {
        let ground = bed.ground("payment", &moim_payment::MIGRATIONS).await;
        let config = Config { provider: "nobody".to_owned(), ..Config::default() };
        let log = moim_testbed::ScriptedLog::new();
        let refused = moim_payment::open(config, ground, log).await.err().unwrap();
        assert_eq!(refused.reason(), "CONFIG_INVALID");
    }
}
