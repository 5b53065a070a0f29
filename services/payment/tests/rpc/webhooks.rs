//! What the provider sends by itself: believed only as a hint to look, and only when it is the provider's.

use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_payment::Config;
use moim_proto::payment::v1::TakeWebhookRequest;

use crate::stage::*;

async fn send(stage: &Stage, request: TakeWebhookRequest) -> Result<(), Fault> {
    stage.client().take_webhook(request).await.map(|_| ()).map_err(Fault::from)
}

async fn heard(stage: &Stage) -> i64 {
    let row = stage.db.fetch_optional::<(i64,)>("SELECT COUNT(*) FROM webhook", vec![]).await;
    row.unwrap().unwrap().0
}

moim_testbed::on_both_databases! {
    async fn a_webhook_has_its_top_up_looked_at_at_once(bed: Bed) {
        // Without it nobody would look for a long while.
        let config = Config { top_up_wait_ms: 3_000, poll_ms: 600_000, ..quick() };
        let stage = Stage::with(bed, config).await;
        let (member, key) = (MemberId::fresh(), fresh());
        stage.top_up(member, &key, 1_000, "sandbox-lost").await.unwrap_err();
        send(&stage, notice(&stage, "m-1", &key)).await.unwrap();
        stage.has(member, 1_000, 0).await;
        stage.audited().await;
    }

    async fn what_a_webhook_claims_is_not_believed(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, key) = (MemberId::fresh(), fresh());
        stage.top_up(member, &key, 1_000, "sandbox-declined").await.unwrap_err();
        send(&stage, notice(&stage, "m-1", &key)).await.unwrap();
        stage.top_up_is(&key, "DECLINED").await;
        assert_eq!(stage.wallet(member).await.balance_krw, 0);
    }

    async fn a_replay_and_a_message_about_nothing_we_know_change_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        let key = fresh();
        stage.top_up(member, &key, 1_000, "").await.unwrap();
        let message = notice(&stage, "m-1", &key);
        for _ in 0..3 {
            send(&stage, message.clone()).await.unwrap();
        }
        send(&stage, notice(&stage, "m-2", "nobody's")).await.unwrap();
        assert_eq!(heard(&stage).await, 1, "what concerns nothing leaves nothing");
        let at = stage.bed.clock.now().seconds();
        send(&stage, webhook("m-3", at, "{}", "a secret of the sandbox")).await.unwrap();
        assert_eq!(heard(&stage).await, 1, "it concerns no payment");
        assert_eq!(stage.wallet(member).await.balance_krw, 1_000);
        stage.audited().await;
    }

    async fn a_message_that_is_not_the_providers_is_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        let now = stage.bed.clock.now().seconds();
        let body = r#"{"order":"o"}"#;
        let good = notice(&stage, "m-1", "o");
        let mut torn = good.clone();
        torn.body.truncate(body.len() - 1);
        for bad in [
            webhook("m-1", now, body, "another secret"),
            webhook("m-1", now - 3_600, body, "a secret of the sandbox"),
            webhook("m-1", now, "no json", "a secret of the sandbox"),
            TakeWebhookRequest { headers: [].into(), ..good },
            torn,
            TakeWebhookRequest::default(),
        ] {
            assert_eq!(send(&stage, bad).await.unwrap_err().reason(), "WEBHOOK_REFUSED");
        }
        assert_eq!(heard(&stage).await, 0);
    }
}
