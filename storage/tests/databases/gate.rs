//! The gate: whoever has written somewhere else is let in once the copy is that far.

use std::sync::Arc;

use moim_kit::Code;
use moim_kit::seen::Mark;
use moim_kit::serve::Gate as _;
use moim_kit::task::scoped;
use moim_testbed::{ScriptedLog, on_both_databases};
use uuid::Uuid;

use crate::note::{NOTE, copied, follow, read_up_to, stand, state};

on_both_databases! {
    async fn a_mark_on_its_way_is_waited_for(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        log.hold();
        let note = Uuid::now_v7();
        let copies = follow(&ground, log.clone(), Arc::default(), &bed.tasks);
        log.push(NOTE, note, 1, &state("one"));
        log.push(NOTE, note, 2, &state("two"));
        let marks = [1, 2].map(|version| Mark::new(NOTE, note, version, bed.clock.now()));
        let waiting = scoped(async move { copies.arrived(&marks).await });
        assert_eq!(copied(&ground).await, [], "it is still on its way");
        log.release();
        waiting.await.unwrap().unwrap();
        assert_eq!(copied(&ground).await, [(note, "two".to_owned(), 2)], "and now it is here");
    }

    async fn a_mark_taken_in_by_another_process_of_the_room_counts(bed: Bed) {
        let here = stand(&bed).await;
        let there = stand(&bed).await;
        let log = ScriptedLog::new();
        let note = Uuid::now_v7();
        let copies = here.copies(&[NOTE]);
        let marks = [Mark::new(NOTE, note, 1, bed.clock.now())];
        let waiting = scoped(async move { copies.arrived(&marks).await });
        follow(&there, log.clone(), Arc::default(), &bed.tasks);
        log.push(NOTE, note, 1, &state("one"));
        waiting.await.unwrap().unwrap();
        assert_eq!(copied(&here).await, [(note, "one".to_owned(), 1)]);
    }

    async fn what_is_here_or_newer_is_not_waited_for(bed: Bed) {
        let ground = stand(&bed).await;
        let log = ScriptedLog::new();
        let note = Uuid::now_v7();
        let copies = follow(&ground, log.clone(), Arc::default(), &bed.tasks);
        log.push(NOTE, note, 7, &state("seven"));
        read_up_to(&ground, 1).await;
        log.hold();
        let marks = [3, 7].map(|version| Mark::new(NOTE, note, version, bed.clock.now()));
        copies.arrived(&marks).await.unwrap();
    }

    async fn nouns_that_are_not_copied_are_not_waited_for(bed: Bed) {
        let ground = stand(&bed).await;
        let copies = ground.copies(&[NOTE]);
        let marks = [Mark::new("other", Uuid::now_v7(), 1, bed.clock.now())];
        copies.arrived(&marks).await.unwrap();
    }

    async fn what_never_arrives_is_told_as_a_copy_that_is_behind(bed: Bed) {
        let ground = stand(&bed).await;
        let copies = ground.copies(&[NOTE]);
        let marks = [Mark::new(NOTE, Uuid::now_v7(), 1, bed.clock.now())];
        let fault = copies.arrived(&marks).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("COPY_BEHIND", Code::Unavailable));
        assert_ne!(fault.message(true), fault.message(false));
    }
}
