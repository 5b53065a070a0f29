//! Reading another room's log: each newer version takes effect once, whatever the order, however many read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moim_kit::task::Tasks;
use moim_storage::Reader;
use moim_testbed::{ScriptedLog, on_both_databases};
use proptest::prop_assert_eq;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use tokio::time::Instant;
use uuid::Uuid;

use crate::note::{Copier, NOTE, copied, effects, follow, read_up_to, stand, state, told};

const NOTES: usize = 6;

/// Versions of a few notes in any order, many of them more than once.
fn any_order() -> impl Strategy<Value = Vec<(usize, i64)>> {
    proptest::collection::vec((0..NOTES, 1_i64..=15), 1..120)
}

fn push(log: &ScriptedLog, note: Uuid, version: i64) {
    log.push(NOTE, note, version, &state(format!("version {version}")));
}

on_both_databases! {
    async fn a_copy_never_goes_back_and_ends_equal_whatever_the_order_and_the_repetitions(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        follow(&ground, log.clone(), Arc::default(), &bed.tasks);
        let pushed = AtomicI64::new(0);
        let try_one = async |order: Vec<(usize, i64)>| {
            // Notes of its own, so that one try knows nothing of another.
            let notes = [(); NOTES].map(|()| Uuid::now_v7());
            let mut newest: BTreeMap<Uuid, i64> = BTreeMap::new();
            let mut expected = Vec::new();
            for (note, version) in &order {
                push(&log, notes[*note], *version);
                let newest = newest.entry(notes[*note]).or_default();
                if *version > *newest {
                    *newest = *version;
                    expected.push((notes[*note], *version));
                }
            }
            let many = i64::try_from(order.len()).unwrap();
            read_up_to(&ground, pushed.fetch_add(many, Ordering::SeqCst) + many).await;
            let mut seen = effects(&ground).await;
            seen.retain(|(note, _)| notes.contains(note));
            prop_assert_eq!(seen, expected);
            let mut copies = BTreeMap::new();
            for (note, title, version) in copied(&ground).await {
                if notes.contains(&note) {
                    prop_assert_eq!(title, format!("version {version}"));
                    copies.insert(note, version);
                }
            }
            prop_assert_eq!(copies, newest);
            Ok(())
        };
        let here = tokio::runtime::Handle::current();
        let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
        tokio::task::block_in_place(|| {
            let tried = TestRunner::new(config).run(&any_order(), |order| here.block_on(try_one(order)));
            tried.unwrap();
        });
    }

    async fn two_processes_of_one_room_take_each_fact_once(bed: Bed) {
        let log = ScriptedLog::new();
        let notes = [(); NOTES].map(|()| Uuid::now_v7());
        let handler = Arc::new(Copier { tells: true, ..Copier::default() });
        let mut grounds = Vec::new();
        for _ in 0..2 {
            let ground = stand(&bed).await;
            follow(&ground, log.clone(), handler.clone(), &bed.tasks);
            grounds.push(ground);
        }
        let mut expected = Vec::new();
        for version in 1..=15 {
            for note in notes {
                push(&log, note, version);
                expected.push((note, version));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        read_up_to(&grounds[0], i64::try_from(expected.len()).unwrap()).await;
        assert_eq!(effects(&grounds[0]).await, expected);
        let echoes = told(&grounds[1], expected.len()).await;
        assert_eq!(echoes.len(), expected.len(), "what an effect tells leaves once, too");
    }

    async fn a_fact_that_always_fails_is_passed_over_and_others_go_on(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((bad, 2));
        for version in 1..=3 {
            push(&log, bad, version);
            push(&log, good, version);
        }
        follow(&ground, log, handler.clone(), &bed.tasks);
        read_up_to(&ground, 6).await;
        assert_eq!(handler.failed.load(Ordering::SeqCst), 5, "it was tried five times");
        let expected = [(bad, 1), (good, 1), (good, 2), (bad, 3), (good, 3)];
        assert_eq!(effects(&ground).await, expected, "the passed over one left nothing behind");
    }

    async fn a_failure_that_passes_is_tried_again_and_takes_effect_once(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let note = Uuid::now_v7();
        let handler = Arc::new(Copier { failures_left: 2.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((note, 1));
        push(&log, note, 1);
        follow(&ground, log, handler.clone(), &bed.tasks);
        read_up_to(&ground, 1).await;
        assert_eq!(handler.failed.load(Ordering::SeqCst), 2);
        assert_eq!(effects(&ground).await, [(note, 1)]);
    }

    async fn nouns_that_are_not_copied_are_read_past(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let note = Uuid::now_v7();
        log.push("other", note, 1, &state("not ours"));
        push(&log, note, 1);
        follow(&ground, log, Arc::default(), &bed.tasks);
        read_up_to(&ground, 2).await;
        assert_eq!(effects(&ground).await, [(note, 1)]);
    }

    async fn a_reader_goes_on_where_it_stopped(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let note = Uuid::now_v7();
        let before = Tasks::new();
        push(&log, note, 1);
        follow(&ground, log.clone(), Arc::default(), &before);
        read_up_to(&ground, 1).await;
        assert!(before.stop(Duration::from_secs(30)).await);
        push(&log, note, 2);
        // Were it read again, the first would now fail.
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((note, 1));
        follow(&ground, log, handler.clone(), &bed.tasks);
        read_up_to(&ground, 2).await;
        assert_eq!(handler.failed.load(Ordering::SeqCst), 0);
        assert_eq!(effects(&ground).await, [(note, 1), (note, 2)]);
    }

    async fn who_comes_back_waits_for_what_was_missed_and_not_for_what_does_not_come(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        for _ in 0..1_000 {
            push(&log, Uuid::now_v7(), 1);
        }
        let (outbox, copies) = (ground.outbox.clone(), ground.copies(&[NOTE]));
        let handler: Arc<Copier> = Arc::default();
        let reader = Reader { source: NOTE, log: log.clone(), outbox, copies, handler };
        let follower = reader.start(&bed.tasks);
        let due = Instant::now() + Duration::from_secs(60);
        follower.caught_up(due).await;
        assert!(effects(&ground).await.len() >= 900);
        read_up_to(&ground, 1_000).await;
        log.hold();
        for _ in 0..500 {
            push(&log, Uuid::now_v7(), 1);
        }
        follower.caught_up(due).await;
        assert!(Instant::now() < due, "it waited for what did not come");
        assert_eq!(effects(&ground).await.len(), 1_000);
        log.release();
        read_up_to(&ground, 1_500).await;
    }
}
