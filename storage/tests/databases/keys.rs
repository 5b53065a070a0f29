//! Idempotency keys: the same work under the same key is done once and answered alike.

use futures::future::join_all;
use moim_kit::id::MemberId;
use moim_kit::task::scoped;
use moim_kit::{Call, Fault};
use moim_storage::{Ground, Idempotency, Replay};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::note::{State, begin, bump, number, stand, state};

/// Makes a note as a mutation would; the answer names it.
async fn make(
    ground: &Ground,
    call: &Call,
    operation: &'static str,
    title: &str,
) -> Result<String, Fault> {
    let mut tx = begin(ground).await;
    let now = ground.clock.now();
    let key = match Idempotency::claim(&mut tx, call, operation, &state(title), now).await? {
        Replay::Done(State { title }, _) => return Ok(title),
        Replay::Fresh(key) => key,
    };
    let note = Uuid::now_v7();
    bump(&mut tx, note, ground).await?;
    key.store(&mut tx, &state(note.to_string())).await?;
    tx.commit().await?;
    Ok(note.to_string())
}

async fn notes(ground: &Ground) -> i64 {
    number(ground, "SELECT COUNT(*) FROM note").await
}

on_both_databases! {
    async fn the_same_key_and_input_get_the_first_answer(bed: Bed) {
        let ground = stand(&bed).await;
        let call = bed.call(MemberId::fresh()).keyed(Some("k"));
        let first = make(&ground, &call, "noteMake", "a").await.unwrap();
        let second = make(&ground, &call, "noteMake", "a").await.unwrap();
        assert_eq!((first, notes(&ground).await), (second, 1));
    }

    async fn the_same_key_with_other_input_is_refused(bed: Bed) {
        let ground = stand(&bed).await;
        let call = bed.call(MemberId::fresh()).keyed(Some("k"));
        make(&ground, &call, "noteMake", "a").await.unwrap();
        let fault = make(&ground, &call, "noteMake", "b").await.unwrap_err();
        assert_eq!(fault.reason(), "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(notes(&ground).await, 1);
    }

    async fn tries_at_the_same_time_have_one_effect_and_one_answer(bed: Bed) {
        let here = stand(&bed).await;
        let there = stand(&bed).await;
        let call = bed.call(MemberId::fresh()).keyed(Some("k"));
        let tries = (0..8).map(|n| {
            let (ground, call) = (if n % 2 == 0 { &here } else { &there }.clone(), call.clone());
            scoped(async move { make(&ground, &call, "noteMake", "a").await.unwrap() })
        });
        let mut answers: Vec<_> =
            join_all(tries).await.into_iter().map(|answer| answer.unwrap()).collect();
        answers.dedup();
        assert_eq!((answers.len(), notes(&here).await), (1, 1));
    }

    async fn work_that_was_undone_leaves_no_key(bed: Bed) {
        let ground = stand(&bed).await;
        let call = bed.call(MemberId::fresh()).keyed(Some("k"));
        let mut tx = ground.outbox.begin().await.unwrap();
        let (request, now) = (state("a"), ground.clock.now());
        let claim =
            Idempotency::claim::<_, State>(&mut tx, &call, "noteMake", &request, now).await;
        assert!(matches!(claim, Ok(Replay::Fresh(_))));
        drop(tx);
        make(&ground, &call, "noteMake", "b").await.unwrap();
        assert_eq!(notes(&ground).await, 1);
    }

    async fn keys_of_other_members_and_of_other_operations_do_not_meet(bed: Bed) {
        let ground = stand(&bed).await;
        let (one, other) = (MemberId::fresh(), MemberId::fresh());
        for (member, operation, title) in
            [(one, "noteMake", "a"), (other, "noteMake", "b"), (one, "noteCopy", "c")]
        {
            let call = bed.call(member).keyed(Some("k"));
            make(&ground, &call, operation, title).await.unwrap();
        }
        assert_eq!(notes(&ground).await, 3);
    }

    async fn work_without_a_key_is_done_each_time(bed: Bed) {
        let ground = stand(&bed).await;
        let call = bed.call(MemberId::fresh());
        for _ in 0..2 {
            make(&ground, &call, "noteMake", "a").await.unwrap();
        }
        assert_eq!(notes(&ground).await, 2);
        assert_eq!(number(&ground, "SELECT COUNT(*) FROM idempotency").await, 0);
    }
}
