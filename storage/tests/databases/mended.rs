//! What stayed behind is mended, and what died is tried again, while everything else goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_kit::Code;
use moim_kit::bus::Log;
use moim_storage::{Config, Ground, args};
use moim_testbed::{Bed, on_both_databases};
use uuid::Uuid;

use crate::note::{
    Copier, NOTE, begin, bump, copied, follow, number, open, patient, read_up_to, stand, state,
    told, until,
};

/// Longer than any fact is thought to be on its way.
const SETTLED: Duration = Duration::from_secs(20);

/// A process that compares its copies all the time.
async fn eager(bed: &Bed) -> Ground {
    open(bed, &Config { reconcile_every_ms: 50, ..patient(bed) }).await.unwrap()
}

/// An owner with some notes of three versions each, and a bed of the copying room's own.
async fn owner_of(bed: &Bed, notes: &[Uuid]) -> Option<(Ground, Bed)> {
    let copy_bed = if bed.storage.url.is_empty() { Bed::sqlite() } else { Bed::postgres().await? };
    let owner = stand(bed).await;
    for _ in 0..3 {
        let mut tx = begin(&owner).await;
        for note in notes {
            bump(&mut tx, *note, &owner).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    told(&owner, notes.len() * 3).await;
    Some((owner, copy_bed))
}

async fn execute(ground: &Ground, sql: &str) {
    let mut tx = begin(ground).await;
    tx.execute(sql, args![]).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_databases! {
    async fn copies_that_were_lost_or_set_back_are_mended(bed: Bed) {
        let notes = [(); 300].map(|()| Uuid::now_v7());
        let Some((owner, copy_bed)) = owner_of(&bed, &notes).await else { return };
        let copy = eager(&copy_bed).await;
        let log: Arc<dyn Log> = Arc::new(owner.outbox.clone());
        follow(&copy, log, Arc::default(), &copy_bed.tasks);
        read_up_to(&copy, 900).await;
        let before = copied(&copy).await;
        assert_eq!(before.len(), notes.len());
        copy.clock.set(copy.clock.now().after(SETTLED));
        for harm in [
            "DELETE FROM inbox",
            "UPDATE inbox SET version = 1 WHERE aggregate_id > (SELECT MIN(aggregate_id) FROM inbox)",
        ] {
            execute(&copy, "DELETE FROM note_copy").await;
            execute(&copy, harm).await;
            if harm.starts_with("UPDATE") {
                // The one that is not behind is not told again: its row stays as the room left it.
                until(async || copied(&copy).await.len() == notes.len() - 1).await;
            } else {
                until(async || copied(&copy).await == before).await;
            }
        }
    }

    async fn what_is_still_on_its_way_is_not_drift(bed: Bed) {
        let notes = [Uuid::now_v7()];
        let Some((owner, copy_bed)) = owner_of(&bed, &notes).await else { return };
        let copy = eager(&copy_bed).await;
        follow(&copy, Arc::new(owner.outbox.clone()), Arc::default(), &copy_bed.tasks);
        read_up_to(&copy, 3).await;
        execute(&copy, "DELETE FROM inbox").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM inbox").await, 0);
    }

    async fn a_dead_letter_takes_effect_once_its_cause_is_gone(bed: Bed) {
        let copy = eager(&bed).await;
        let log = moim_testbed::ScriptedLog::new();
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((bad, 1));
        for note in [bad, good] {
            log.push(NOTE, note, 1, &state("told"));
            log.push_event(NOTE, note, 1, &state("happened"));
        }
        follow(&copy, log, handler.clone(), &bed.tasks);
        read_up_to(&copy, 4).await;
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM dead_letter").await, 1);
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM inbox_parked").await, 1, "the event waits");
        until(async || handler.failed.load(Ordering::SeqCst) > 6).await;
        handler.failures_left.store(0, Ordering::SeqCst);
        until(async || number(&copy, "SELECT COUNT(*) FROM dead_letter").await == 0).await;
        assert_eq!(copied(&copy).await.len(), 2);
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM heard").await, 2);
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM inbox_parked").await, 0);
    }

    async fn what_waits_for_something_unavailable_does_not_hold_others_up_for_ever(bed: Bed) {
        let config = Config { reconcile_every_ms: 50, fact_patience_ms: 300, ..patient(&bed) };
        let copy = open(&bed, &config).await.unwrap();
        let log = moim_testbed::ScriptedLog::new();
        let (stuck, good) = (Uuid::now_v7(), Uuid::now_v7());
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((stuck, 1));
        *handler.code.lock().unwrap() = Some(Code::Unavailable);
        log.push(NOTE, stuck, 1, &state("told"));
        log.push(NOTE, good, 1, &state("told"));
        follow(&copy, log, handler.clone(), &bed.tasks);
        read_up_to(&copy, 2).await;
        let waiting: Vec<_> = copied(&copy).await.into_iter().map(|(note, ..)| note).collect();
        assert_eq!(waiting, [good]);
        handler.failures_left.store(0, Ordering::SeqCst);
        until(async || copied(&copy).await.len() == 2).await;
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM dead_letter").await, 0);
    }

    async fn events_behind_a_dead_one_wait_and_are_heard_in_order(bed: Bed) {
        let copy = eager(&bed).await;
        let log = moim_testbed::ScriptedLog::new();
        let note = Uuid::now_v7();
        let handler = Arc::new(Copier::default());
        handler.deaf.store(true, Ordering::SeqCst);
        log.push(NOTE, note, 5, &state("told"));
        log.push_event(NOTE, note, 2, &state("first"));
        follow(&copy, log.clone(), handler.clone(), &bed.tasks);
        read_up_to(&copy, 2).await;
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM dead_letter").await, 1);
        for version in 3..=5 {
            log.push_event(NOTE, note, version, &state("later"));
        }
        read_up_to(&copy, 5).await;
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM inbox_parked").await, 3);
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM heard").await, 0);
        handler.deaf.store(false, Ordering::SeqCst);
        until(async || number(&copy, "SELECT COUNT(*) FROM heard").await == 4).await;
        let in_order = "SELECT version FROM heard ORDER BY place";
        let versions: Vec<(i64,)> = copy.db.fetch_all(in_order, args![]).await.unwrap();
        assert_eq!(versions, [(2,), (3,), (4,), (5,)]);
        assert_eq!(number(&copy, "SELECT COUNT(*) FROM inbox_parked").await, 0);
    }
}
