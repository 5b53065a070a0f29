//! Ways to give away seats, each deciding the same burst over the same two tables.

mod ground;
mod in_database;
mod redis_lock;
pub mod rounds;
mod single_writer;
pub mod tables;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use ground::Ground;
use in_database::{Conditional, Guard, Versioned};
use redis_lock::{Lease, RedisLock};
use single_writer::SingleWriter;

/// Who wants how many seats.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// People who want a seat.
    pub claimants: usize,
    /// Seats there are.
    pub seats: usize,
    /// Claims at once.
    pub connections: usize,
    /// Every so many people claim twice at the same moment.
    pub impatient: usize,
}

impl Burst {
    /// More people than seats by far.
    pub const SCARCE: Self = Self { claimants: 2_000, seats: 100, connections: 50, impatient: 7 };
    /// A seat for everybody, so that every claim but the repeated ones writes.
    pub const AMPLE: Self = Self { seats: 2_000, ..Self::SCARCE };

    /// The claims in the order they are made.
    fn claims(&self) -> Vec<String> {
        let mut claims = Vec::with_capacity(self.claimants * 2);
        for number in 0..self.claimants {
            let member = Uuid::now_v7().to_string();
            let times = if number % self.impatient == 0 { 2 } else { 1 };
            claims.extend(std::iter::repeat_n(member, times));
        }
        claims
    }

    fn is_scarce(&self) -> bool {
        self.seats < self.claimants
    }

    fn taken(&self) -> usize {
        self.seats.min(self.claimants)
    }
}

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Granted,
    /// The same person has one already.
    Already,
    Full,
}

/// A decision and what it took.
struct Claimed {
    decision: Decision,
    /// Times it was tried again.
    retries: u64,
}

impl Claimed {
    fn at_once(decision: Decision) -> Self {
        Self { decision, retries: 0 }
    }
}

/// A way to decide; many claims come at once.
#[async_trait]
trait Strategy: Send + Sync {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed>;
}

/// The ways there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What moim does: the count moves only while it is below the capacity.
    Conditional,
    /// The row as it was read, or again.
    Versioned,
    /// The row locked by a reading transaction.
    RowLock,
    /// A lock in Redis around reading and writing.
    RedisLock,
    /// One task that decides batches.
    SingleWriter,
    /// A lock in Redis that ends while some of its holders still think they have it.
    PausedHolder,
    /// Reading, then writing, and nothing else.
    Unprotected,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Conditional,
        Self::Versioned,
        Self::RowLock,
        Self::RedisLock,
        Self::SingleWriter,
        Self::PausedHolder,
        Self::Unprotected,
    ];

    /// True when it must never give away more than there is.
    pub fn is_sound(self) -> bool {
        !matches!(self, Self::PausedHolder | Self::Unprotected)
    }

    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Conditional => "conditional update",
            Self::Versioned => "version column, retried",
            Self::RowLock => "SELECT … FOR UPDATE",
            Self::RedisLock => "Redis lock",
            Self::SingleWriter => "single writer, batches",
            Self::PausedHolder => "Redis lock, holders pause past its end",
            Self::Unprotected => "read, then write (control)",
        }
    }

    async fn on(self, ground: &Ground) -> anyhow::Result<Arc<dyn Strategy>> {
        let database = ground.database.clone();
        Ok(match self {
            Self::Conditional => Arc::new(Conditional(database)),
            Self::Versioned => Arc::new(Versioned(database)),
            Self::RowLock => Arc::new(Guard::RowLock.over(database)),
            Self::Unprotected => Arc::new(Guard::Nothing.over(database)),
            Self::SingleWriter => Arc::new(SingleWriter::start(database)),
            Self::RedisLock => {
                let lease = Lease { lasts: Duration::from_secs(10), pause: None };
                Arc::new(RedisLock::open(ground.redis.url(), database, lease).await?)
            }
            Self::PausedHolder => {
                let lease = Lease {
                    lasts: Duration::from_millis(50),
                    pause: Some(Duration::from_millis(150)),
                };
                Arc::new(RedisLock::open(ground.redis.url(), database, lease).await?)
            }
        })
    }
}
