//! Over a real NATS: nothing lost and nothing doubled, whatever happens to the bus or to who listens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_kit::bus::{Bus, Config, HeardLog, Log, Publisher, Seal};
use moim_kit::task::Tasks;
use moim_storage::{Carrier, Ground, args, replay};
use moim_testbed::{Bed, Nats, on_both_databases};
use uuid::Uuid;

use crate::note::{
    Copier, MIGRATIONS, NOTE, begin, bump, copied, effects, follow, number, stand, state, until,
};

const NOUNS: &[&str] = &[NOTE];
const SECRET: &str = "the rooms of this house";

/// A room that tells notes over a bus, and another on a database of its own that copies them.
struct Line {
    nats: Nats,
    owner: Ground,
    copy: Ground,
    copy_bed: Bed,
    _owner_bed: Bed,
}

impl Line {
    async fn lay(bed: Bed) -> Option<Self> {
        let nats = Nats::start().await?;
        let copy_bed =
            if bed.storage.url.is_empty() { Bed::sqlite() } else { Bed::postgres().await? };
        let (owner, copy) = (stand(&bed).await, stand(&copy_bed).await);
        let publisher = Publisher::new(bus(&nats).await, NOTE, NOUNS);
        Carrier::new(owner.outbox.clone(), publisher).start(&bed.tasks);
        Some(Self { nats, owner, copy, copy_bed, _owner_bed: bed })
    }

    async fn log(&self) -> Arc<dyn Log> {
        let owner = Arc::new(self.owner.outbox.clone());
        Arc::new(HeardLog::new(bus(&self.nats).await, NOTE, NOUNS, owner))
    }

    async fn hear(&self, handler: &Arc<Copier>, tasks: &Tasks) {
        follow(&self.copy, self.log().await, handler.clone(), tasks);
    }

    /// Changes each note so many times and tells an event with each change.
    async fn write(&self, notes: &[Uuid], times: usize) {
        for _ in 0..times {
            let mut tx = begin(&self.owner).await;
            for note in notes {
                let version = bump(&mut tx, *note, &self.owner).await.unwrap();
                let at = self.owner.clock.now();
                tx.tell_event(NOTE, *note, version, None, &state("happened"), "", at);
            }
            tx.commit().await.unwrap();
        }
    }

    /// Returns once the copies equal the notes and each event was heard; fails when one was heard twice.
    async fn equal(&self) {
        let notes = "SELECT id, title, version FROM note ORDER BY id";
        let told = "SELECT COUNT(*) FROM outbox WHERE kind = 'event'";
        let told = number(&self.owner, told).await;
        until(async || {
            let owned: Vec<(String, String, i64)> =
                self.owner.db.fetch_all(notes, args![]).await.unwrap();
            let copies = copied(&self.copy).await;
            let same = owned.len() == copies.len()
                && owned.iter().zip(&copies).all(|((id, _, version), (copy, _, copied))| {
                    *id == copy.to_string() && version == copied
                });
            same && number(&self.copy, "SELECT COUNT(*) FROM heard").await >= told
        })
        .await;
        assert_eq!(number(&self.copy, "SELECT COUNT(*) FROM heard").await, told);
        assert_eq!(number(&self.copy, "SELECT COUNT(DISTINCT event_id) FROM heard").await, told);
        assert_eq!(number(&self.copy, "SELECT COUNT(*) FROM inbox_parked").await, 0);
    }

    async fn dead(&self, code: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM dead_letter WHERE code = '{code}'");
        number(&self.copy, &sql).await
    }
}

async fn bus(nats: &Nats) -> Bus {
    Bus::open(&Config { url: nats.url() }, SECRET).await.unwrap()
}

fn some_notes() -> [Uuid; 5] {
    [(); 5].map(|()| Uuid::now_v7())
}

on_both_databases! {
    async fn what_is_told_arrives_once(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 20).await;
        line.equal().await;
    }

    async fn what_was_told_before_anybody_listened_arrives(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        line.write(&some_notes(), 5).await;
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.equal().await;
    }

    async fn while_the_bus_is_down_work_goes_on_and_arrives_afterwards(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&notes, 3).await;
        line.equal().await;
        for end in [Nats::stop, Nats::kill] {
            end(&mut line.nats);
            line.write(&notes, 3).await;
            line.nats.start_again().await;
            line.write(&notes, 3).await;
            line.equal().await;
        }
    }

    async fn a_bus_that_lost_everything_is_filled_again(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&notes, 4).await;
        line.equal().await;
        line.nats.kill();
        line.write(&notes, 2).await;
        line.nats.wipe();
        line.nats.start_again().await;
        line.write(&notes, 2).await;
        line.equal().await;
        // Who listens only now hears everything from the bus, as if nothing had happened to it.
        let late = Bed::sqlite();
        let copy = late.ground("late", &MIGRATIONS).await;
        follow(&copy, line.log().await, Arc::default(), &late.tasks);
        until(async || copied(&copy).await == copied(&line.copy).await).await;
    }

    async fn a_replay_tells_everything_again_and_changes_nothing(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 4).await;
        line.equal().await;
        let before = effects(&line.copy).await;
        replay(&line.owner.db).await.unwrap();
        let again = "SELECT position FROM bus_cursor WHERE epoch > 0";
        until(async || {
            let at = line.owner.db.fetch_optional::<(i64,)>(again, args![]).await.unwrap();
            at.is_some_and(|(position,)| position == 40)
        })
        .await;
        line.write(&some_notes(), 1).await;
        line.equal().await;
        assert_eq!(effects(&line.copy).await.len(), before.len() + 5);
    }

    async fn a_consumer_that_ends_before_it_settles_hears_it_again_and_once(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        for _ in 0..4 {
            let tasks = Tasks::new();
            line.hear(&Arc::default(), &tasks).await;
            line.write(&notes, 3).await;
            until(async || number(&line.copy, "SELECT COUNT(*) FROM heard").await > 0).await;
            tasks.stop(Duration::from_secs(30)).await;
        }
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.equal().await;
    }

    async fn two_processes_of_a_room_share_what_comes(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        for _ in 0..2 {
            let other = stand(&line.copy_bed).await;
            follow(&other, line.log().await, Arc::default(), &line.copy_bed.tasks);
        }
        line.write(&some_notes(), 30).await;
        line.equal().await;
    }

    async fn what_is_no_fact_of_the_house_is_put_aside(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 1).await;
        line.equal().await;
        let client = async_nats::connect(line.nats.url()).await.unwrap();
        let subject = || format!("moim.note.v1.event.{}", Uuid::now_v7());
        client.publish(subject(), "nonsense".into()).await.unwrap();
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Moim-Signature", Seal::new(SECRET).sign(b"\xff\xff"));
        client.publish_with_headers(subject(), headers, b"\xff\xff".to_vec().into()).await.unwrap();
        let mut tx = begin(&line.owner).await;
        let long_ago = line.owner.clock.now().before(Duration::from_secs(6 * 24 * 3_600));
        tx.tell_event(NOTE, Uuid::now_v7(), 1, None, &state("old"), "", long_ago);
        line.copy.clock.set(line.copy.clock.now().after(Duration::from_secs(10 * 24 * 3_600)));
        tx.commit().await.unwrap();
        until(async || line.dead("FACT_FOREIGN").await == 1).await;
        until(async || line.dead("FACT_UNDECODABLE").await == 1).await;
        until(async || line.dead("FACT_ANCIENT").await == 1).await;
    }

    async fn a_poisoned_fact_is_put_aside_and_others_go_on(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((notes[0], 1));
        line.hear(&handler, &line.copy_bed.tasks).await;
        line.write(&notes, 1).await;
        until(async || line.dead("FACT_FAILED").await == 1).await;
        assert_eq!(handler.failed.load(Ordering::SeqCst), 5, "it was tried five times");
        until(async || copied(&line.copy).await.len() == 4).await;
        // A newer state takes the dead one's place, and the events that waited for it are heard.
        line.write(&notes, 1).await;
        line.equal().await;
        assert_eq!(line.dead("FACT_FAILED").await, 0);
    }
}
