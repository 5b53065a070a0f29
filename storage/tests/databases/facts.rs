//! Facts leave with their cause, each once, in an order that a reader can trust.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use moim_kit::bus::{Entry, Log as _};
use moim_kit::task::scoped;
use moim_storage::{Ground, args};
use moim_testbed::on_both_databases;
use prost::Message as _;
use uuid::Uuid;

use crate::note::{NOTE, State, begin, bump, number, stand, state, told, until};

const NOTES: usize = 5;
const ROUNDS: usize = 20;

/// One writer: every fourth transaction is rolled back. Answers how many were committed.
async fn write(ground: Ground, notes: [Uuid; NOTES], writer: usize) -> usize {
    let mut committed = 0;
    for round in 0..ROUNDS {
        let mut tx = begin(&ground).await;
        bump(&mut tx, notes[(writer + round * 3) % NOTES], &ground).await.unwrap();
        if round % 2 == 0 {
            // The later a transaction commits after its ids were made, the sharper the test.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        if (writer + round).is_multiple_of(4) {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
            committed += 1;
        }
    }
    committed
}

/// Follows a log by position in small steps until it has read as much as was asked.
async fn follow(ground: Ground, count: usize) -> Vec<Entry> {
    let mut read: Vec<Entry> = Vec::new();
    while read.len() < count {
        let position = read.last().map_or(0, |entry| entry.position);
        ground.outbox.wait(position, Duration::from_secs(1)).await.unwrap();
        read.extend(ground.outbox.read(position, 7).await.unwrap());
    }
    read
}

on_both_databases! {
    async fn a_fact_leaves_with_the_commit_and_not_with_a_rollback(bed: Bed) {
        let ground = stand(&bed).await;
        let (kept, undone) = (Uuid::now_v7(), Uuid::now_v7());
        let mut tx = ground.outbox.begin().await.unwrap();
        bump(&mut tx, undone, &ground).await.unwrap();
        drop(tx);
        let mut tx = ground.outbox.begin().await.unwrap();
        bump(&mut tx, kept, &ground).await.unwrap();
        let marks = tx.commit().await.unwrap();

        let facts: Vec<_> = told(&ground, 1).await.into_iter().map(|entry| entry.fact).collect();
        assert_eq!(facts.len(), 1);
        assert_eq!((facts[0].noun.as_str(), facts[0].aggregate, facts[0].version), (NOTE, kept, 1));
        assert_eq!(number(&ground, "SELECT COUNT(*) FROM note").await, 1);
        assert_eq!(marks.len(), 1, "the answer names what was written");
        assert_eq!((marks[0].aggregate(), marks[0].version), (kept, 1));
    }

    async fn of_two_states_told_at_one_version_the_later_counts(bed: Bed) {
        let ground = stand(&bed).await;
        let (id, now) = (Uuid::now_v7(), bed.clock.now());
        let mut tx = ground.outbox.begin().await.unwrap();
        for title in ["first", "second"] {
            tx.tell(NOTE, id, 1, &state(title), "", now);
        }
        assert_eq!(tx.commit().await.unwrap().len(), 1);
        let entries = told(&ground, 1).await;
        assert_eq!(entries.len(), 1);
        let payload = entries[0].fact.payload.clone();
        assert_eq!(State::decode(payload).unwrap(), state("second"));
    }

    async fn readers_miss_nothing_and_see_nothing_twice_or_too_early(bed: Bed) {
        let here = stand(&bed).await;
        let there = stand(&bed).await;
        let notes = [(); NOTES].map(|()| Uuid::now_v7());
        for note in notes {
            let mut tx = begin(&here).await;
            bump(&mut tx, note, &here).await.unwrap();
            tx.commit().await.unwrap();
        }
        let expected = NOTES + 8 * ROUNDS * 3 / 4;
        let readers = [&here, &there].map(|ground| scoped(follow(ground.clone(), expected)));
        let writers = (0..8).map(|writer| {
            let ground = if writer % 2 == 0 { &here } else { &there };
            scoped(write(ground.clone(), notes, writer))
        });
        let committed: usize = join_all(writers).await.into_iter().map(|it| it.unwrap()).sum();
        assert_eq!(NOTES + committed, expected);

        let all = told(&here, expected).await;
        for read in join_all(readers).await {
            assert_eq!(read.unwrap(), all, "read while it was written or afterwards: the same");
        }
        let positions: Vec<_> = all.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, (1..=i64::try_from(expected).unwrap()).collect::<Vec<_>>());
        let ids: BTreeSet<_> = all.iter().map(|entry| entry.fact.id).collect();
        assert_eq!(ids.len(), expected);
        let mut versions: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
        for Entry { fact, .. } in &all {
            versions.entry(fact.aggregate).or_default().push(fact.version);
        }
        for (note, versions) in versions {
            let last = i64::try_from(versions.len()).unwrap();
            assert_eq!(versions, (1..=last).collect::<Vec<_>>(), "of note {note}");
        }
    }

    async fn old_facts_are_swept_and_the_newest_of_each_note_stays(bed: Bed) {
        let ground = stand(&bed).await;
        let (old, young) = (Uuid::now_v7(), Uuid::now_v7());
        let now = bed.clock.now();
        let long_ago = now.before(Duration::from_secs(8 * 24 * 3_600));
        for version in 1..=3 {
            let mut tx = ground.outbox.begin().await.unwrap();
            tx.tell(NOTE, old, version, &state("old"), "", long_ago);
            tx.tell(NOTE, young, version, &state("young"), "", now);
            tx.commit().await.unwrap();
        }
        // Not all six: the process itself may get to its first sweep only now.
        const UNTOLD: &str = "SELECT COUNT(*) FROM outbox WHERE position IS NULL";
        until(async || number(&ground, UNTOLD).await == 0).await;
        let _another_process_sweeps_at_its_start = stand(&bed).await;
        let left = async || {
            let entries = ground.outbox.read(0, 100).await.unwrap();
            let left: Vec<_> =
                entries.iter().map(|it| (it.fact.aggregate, it.fact.version)).collect();
            left
        };
        until(async || left().await.len() == 4).await;
        let kept: BTreeSet<_> = left().await.into_iter().collect();
        assert_eq!(kept, BTreeSet::from([(old, 3), (young, 1), (young, 2), (young, 3)]));
    }

    async fn what_the_bus_has_not_got_yet_is_not_swept(bed: Bed) {
        const CARRIED: &str =
            "UPDATE bus_cursor SET holder = 'somebody', position = $1, until_us = $2 WHERE id = 1";
        const LEFT: &str = "SELECT COUNT(*) FROM outbox";
        let ground = stand(&bed).await;
        let now = bed.clock.now();
        let days = |days: u64| now.before(Duration::from_secs(days * 24 * 3_600));
        let mut tx = begin(&ground).await;
        // From the first on: the process sweeps when it gets to it.
        tx.execute(CARRIED, args![0, days(9)]).await.unwrap();
        for version in 1..=3 {
            tx.tell_event(NOTE, Uuid::now_v7(), version, None, &state("old"), "", days(8));
        }
        tx.commit().await.unwrap();
        told(&ground, 3).await;
        let carried = async |position: i64, last: u64| {
            let mut tx = begin(&ground).await;
            tx.execute(CARRIED, args![position, days(last)]).await.unwrap();
            tx.commit().await.unwrap();
            let _another_process_sweeps_at_its_start = stand(&bed).await;
        };
        carried(1, 9).await;
        until(async || number(&ground, LEFT).await == 2).await;
        // A bus that was given up holds nothing back.
        carried(1, 31).await;
        until(async || number(&ground, LEFT).await == 0).await;
    }

    async fn a_thousand_facts_leave_in_one_commit(bed: Bed) {
        let ground = stand(&bed).await;
        let notes: Vec<_> = (0..1_000).map(|_| Uuid::now_v7()).collect();
        let mut tx = begin(&ground).await;
        for note in &notes {
            tx.tell(NOTE, *note, 1, &state(note.to_string()), "", bed.clock.now());
        }
        tx.commit().await.unwrap();
        let entries = told(&ground, notes.len()).await;
        let arrived: BTreeSet<_> = entries
            .into_iter()
            .map(|it| (it.fact.aggregate, State::decode(it.fact.payload).unwrap().title))
            .collect();
        let expected: BTreeSet<_> = notes.iter().map(|note| (*note, note.to_string())).collect();
        assert_eq!(arrived, expected);
    }

    async fn keys_of_idempotent_work_are_forgotten_after_a_day(bed: Bed) {
        let ground = stand(&bed).await;
        const INSERT: &str = "
INSERT INTO idempotency (member_id, operation, key, request_hash, created_at_us)
VALUES ('', '', $1, '', $2)";
        let now = bed.clock.now();
        let mut tx = ground.outbox.begin().await.unwrap();
        for (key, hours) in [("young", 23), ("old", 25)] {
            let at = now.before(Duration::from_secs(hours * 3_600));
            tx.execute(INSERT, args![key, at]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let _another_process_sweeps_at_its_start = stand(&bed).await;
        until(async || number(&ground, "SELECT COUNT(*) FROM idempotency").await == 1).await;
        let young = "SELECT COUNT(*) FROM idempotency WHERE key = 'young'";
        assert_eq!(number(&ground, young).await, 1);
    }
}
