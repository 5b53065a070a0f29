//! Two rooms of notes with a bus between them: one tells, the other copies and hears.

use std::sync::Arc;

use moim_kit::bus::{Bus, Config, HeardLog, Log, Publisher};
use moim_kit::task::Tasks;
use moim_storage::{Carrier, Ground, args};
use moim_testbed::{Bed, Nats};
use uuid::Uuid;

use crate::note::{Copier, NOTE, begin, bump, copied, follow, number, stand, state, until};

const NOUNS: &[&str] = &[NOTE];
const REDELIVER_MS: u64 = 1_000;
pub const SECRET: &str = "the rooms of this house";

/// A room that tells notes, and another on a database of its own that copies them.
pub struct Line {
    nats: Option<Nats>,
    pub owner: Ground,
    pub copy: Ground,
    pub copy_bed: Bed,
    /// After which the bus delivers again what was not settled.
    pub redeliver_ms: u64,
    _owner_bed: Bed,
}

impl Line {
    /// Over NATS; `None`, said loudly, when something is not installed.
    pub async fn lay(bed: Bed) -> Option<Self> {
        Self::between(bed, Some(Nats::start().await?)).await
    }

    /// By the owner's outbox.
    pub async fn lay_within(bed: Bed) -> Option<Self> {
        Self::between(bed, None).await
    }

    async fn between(bed: Bed, nats: Option<Nats>) -> Option<Self> {
        let copy_bed =
            if bed.storage.url.is_empty() { Bed::sqlite() } else { Bed::postgres().await? };
        let (owner, copy) = (stand(&bed).await, stand(&copy_bed).await);
        if let Some(nats) = &nats {
            let publisher = Publisher::new(bus(nats, REDELIVER_MS).await, NOTE, NOUNS);
            Carrier::new(owner.outbox.clone(), publisher).start(&bed.tasks);
        }
        Some(Self { nats, owner, copy, copy_bed, redeliver_ms: REDELIVER_MS, _owner_bed: bed })
    }

    /// False when the owner's outbox is the log.
    pub fn is_over_nats(&self) -> bool {
        self.nats.is_some()
    }

    /// The server between the rooms.
    pub fn nats(&mut self) -> &mut Nats {
        self.nats.as_mut().unwrap()
    }

    /// What the owner tells, as the other room hears it.
    pub async fn log(&self) -> Arc<dyn Log> {
        let owner = Arc::new(self.owner.outbox.clone());
        match &self.nats {
            Some(nats) => {
                Arc::new(HeardLog::new(bus(nats, self.redeliver_ms).await, NOTE, NOUNS, owner))
            }
            None => owner,
        }
    }

    /// Lets a process of the other room follow it.
    pub async fn hear(&self, handler: &Arc<Copier>, tasks: &Tasks) {
        follow(&self.copy, self.log().await, handler.clone(), tasks);
    }

    /// Changes each note so many times and tells an event with each change.
    pub async fn write(&self, notes: &[Uuid], times: usize) {
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
    pub async fn equal(&self) {
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

    /// How many died of this.
    pub async fn dead(&self, code: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM dead_letter WHERE code = '{code}'");
        number(&self.copy, &sql).await
    }
}

/// A connection of one process.
async fn bus(nats: &Nats, redeliver_ms: u64) -> Bus {
    Bus::open(&Config { url: nats.url(), redeliver_ms }, SECRET).await.unwrap()
}

pub fn some_notes() -> [Uuid; 5] {
    [(); 5].map(|()| Uuid::now_v7())
}
