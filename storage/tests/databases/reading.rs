//! Reading another room's log: each newer version takes effect once, whatever the order, however many read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_kit::task::Tasks;
use moim_testbed::{ScriptedLog, on_both_databases};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::note::{Copier, NOTE, copied, effects, follow, read_up_to, stand, state, told};

const NOTES: usize = 6;

/// Versions of a few notes in any order, many of them more than once.
fn any_order() -> Vec<(usize, i64)> {
    let strategy = proptest::collection::vec((0..NOTES, 1_i64..=15), 150);
    strategy.new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

fn push(log: &ScriptedLog, note: Uuid, version: i64) {
    log.push(NOTE, note, version, &state(format!("version {version}")));
}

on_both_databases! {
    async fn a_copy_never_goes_back_whatever_the_order_and_the_repetitions(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let notes = [(); NOTES].map(|()| Uuid::now_v7());
        let mut newest: BTreeMap<Uuid, i64> = BTreeMap::new();
        let mut expected = Vec::new();
        let order = any_order();
        for (note, version) in &order {
            push(&log, notes[*note], *version);
            let newest = newest.entry(notes[*note]).or_default();
            if *version > *newest {
                *newest = *version;
                expected.push((notes[*note], *version));
            }
        }
        follow(&ground, log, Arc::default(), &bed.tasks);
        read_up_to(&ground, i64::try_from(order.len()).unwrap()).await;
        assert!(expected.len() < order.len(), "something was old or repeated");
        assert_eq!(effects(&ground).await, expected);
        for (note, title, version) in copied(&ground).await {
            assert_eq!((version, title), (newest[&note], format!("version {version}")));
        }
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
}
