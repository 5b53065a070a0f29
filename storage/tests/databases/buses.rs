//! The same promises on both buses, the outbox as the log and NATS, and on both databases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::Fault;
use moim_kit::bus::{Consumer, Delivery, Entry, Feed, Log};
use moim_kit::task::Tasks;
use moim_storage::args;
use uuid::Uuid;

use crate::line::{Line, some_notes};
use crate::note::{Copier, NOTE, begin, copied, effects, follow, number, stand, until};

/// Declares tests that run on each bus and each database.
macro_rules! on_both_buses {
    ($(async fn $name:ident($line:ident: Line) $body:block)*) => {
        $(mod $name {
            use super::*;

            async fn on_line($line: Line) $body

            moim_testbed::on_both_databases! {
                async fn by_the_outbox(bed: Bed) {
                    if let Some(line) = Line::lay_within(bed).await {
                        on_line(line).await;
                    }
                }

                async fn over_nats(bed: Bed) {
                    if let Some(line) = Line::lay(bed).await {
                        on_line(line).await;
                    }
                }
            }
        })*
    };
}

/// A log whose consumer dies each time after the effect and before the bus learns of it.
struct Forgetful {
    log: Arc<dyn Log>,
    /// How often it dies.
    left: Arc<AtomicUsize>,
}

struct ForgetfulFeed {
    feed: Box<dyn Feed>,
    left: Arc<AtomicUsize>,
}

fn dies(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Feed for ForgetfulFeed {
    async fn next(&mut self, limit: usize, at_most: Duration) -> Result<Vec<Delivery>, Fault> {
        self.feed.next(limit, at_most).await
    }

    async fn settle(&mut self, deliveries: &[Delivery]) -> Result<(), Fault> {
        if dies(&self.left) {
            return Err(Fault::unavailable("CRASHED", "it died before it settled"));
        }
        self.feed.settle(deliveries).await
    }
}

#[async_trait]
impl Log for Forgetful {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.log.read(position, limit).await
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        self.log.wait(position, at_most).await
    }

    async fn feed(&self, consumer: &Consumer) -> Result<Option<Box<dyn Feed>>, Fault> {
        let feed = self.log.feed(consumer).await?;
        let left = self.left.clone();
        Ok(feed.map(|feed| Box::new(ForgetfulFeed { feed, left }) as Box<dyn Feed>))
    }
}

/// Makes a reader by position forget how far it has come.
async fn forget_position(line: &Line) {
    let mut tx = begin(&line.copy).await;
    tx.execute("UPDATE inbox_position SET position = 0", args![]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn heard(line: &Line) -> i64 {
    number(&line.copy, "SELECT COUNT(*) FROM heard").await
}

on_both_buses! {
    async fn what_is_told_arrives_once(line: Line) {
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 20).await;
        line.equal().await;
    }

    async fn what_was_told_before_anybody_listened_arrives(line: Line) {
        line.write(&some_notes(), 5).await;
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.equal().await;
    }

    async fn each_note_goes_through_its_versions_in_order(line: Line) {
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 20).await;
        line.equal().await;
        let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
        for (note, version) in effects(&line.copy).await {
            let before = last.insert(note, version).unwrap_or_default();
            assert!(before < version, "{note} went from {before} to {version}");
        }
        assert!(last.values().all(|version| *version == 20));
    }

    async fn who_listens_goes_on_where_it_stopped(line: Line) {
        let notes = some_notes();
        for round in 1..=3 {
            let tasks = Tasks::new();
            line.hear(&Arc::default(), &tasks).await;
            line.write(&notes, 3).await;
            until(async || heard(&line).await > (round - 1) * 15).await;
            assert!(tasks.stop(Duration::from_secs(30)).await);
        }
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.equal().await;
    }

    async fn an_effect_that_the_bus_does_not_learn_of_happens_once(line: Line) {
        let left = Arc::new(AtomicUsize::new(3));
        let log = Forgetful { log: line.log().await, left: left.clone() };
        follow(&line.copy, Arc::new(log), Arc::default(), &line.copy_bed.tasks);
        let notes = some_notes();
        line.write(&notes, 5).await;
        for _ in 0..3 {
            until(async || heard(&line).await > 0).await;
            forget_position(&line).await;
            line.write(&notes, 1).await;
        }
        line.equal().await;
        if line.is_over_nats() {
            until(async || left.load(Ordering::SeqCst) == 0).await;
        }
        // What was not settled comes again, and changes nothing.
        let log = line.log().await;
        until(async || {
            let position = number(&line.copy, "SELECT MAX(position) FROM inbox_position").await;
            log.lag(&Consumer::room(NOTE), position).await.unwrap() == Some(0)
        })
        .await;
        line.equal().await;
    }

    async fn two_replicas_of_a_room_are_each_told_everything(line: Line) {
        let other_bed = moim_testbed::Bed::sqlite();
        let mut replicas = [line.copy.clone(), stand(&other_bed).await];
        for (ground, id) in replicas.iter_mut().zip(["one", "other"]) {
            ground.outbox = ground.outbox.clone().hearing_as(Consumer::replica(NOTE, id));
            follow(ground, line.log().await, Arc::default(), &line.copy_bed.tasks);
        }
        line.write(&some_notes(), 30).await;
        line.equal().await;
        let expected = copied(&line.copy).await;
        until(async || copied(&replicas[1]).await == expected).await;
    }

    async fn two_processes_of_a_room_share_what_comes(line: Line) {
        for _ in 0..2 {
            let other = stand(&line.copy_bed).await;
            let handler: Arc<Copier> = Arc::default();
            follow(&other, line.log().await, handler, &line.copy_bed.tasks);
        }
        line.write(&some_notes(), 30).await;
        line.equal().await;
    }
}
