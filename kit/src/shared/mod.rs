//! What the replicas of a house share and may lose: budgets, votes and values. Never the truth of anything.
//!
//! Two halves with one face: [`Memory`] for a house in one process, [`Redis`] for one in many. One suite of tests
//! (`kit/tests/shared`) says the same sentences of both.

mod memory;
mod near;
#[cfg(test)]
mod near_race;
mod redis;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::memory::Memory;
pub use self::near::Near;
pub use self::redis::{Bulletin, Redis, Revocation};
use crate::task::Tasks;

/// Voters remembered on one board in one window; votes beyond are not counted.
const MOST_VOTERS: usize = 100_000;
/// A bucket nobody asks, and that is not full by then, is full again after this.
const BUCKET_LIFE: Duration = Duration::from_secs(86_400);
/// A board on which nobody votes is forgotten after this.
const BOARD_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// No value is kept longer.
const VALUE_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// Begins the keys of values that are held near.
const NEAR: &str = "near:";

/// Where replicas share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `redis://` or `rediss://` of a Redis 6 or newer; empty: each process keeps to itself.
    pub url: String,
}

/// How much a bucket holds and how fast it fills again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Points of a full bucket.
    pub capacity: u64,
    /// Points that come back each second.
    pub per_second: f64,
}

/// What became of points that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Whether they were taken; else nothing was.
    pub granted: bool,
    /// Points left.
    pub left: u64,
    /// Until as many as were asked for are there; zero when granted.
    pub wait: Duration,
}

/// A vote for one of the entries of a board.
#[derive(Clone, Copy, Debug)]
pub struct Vote<'a> {
    /// The board.
    pub board: &'a str,
    /// What is voted for.
    pub entry: &'a str,
    /// Who votes.
    pub voter: &'a str,
    /// A voter has one vote for an entry in each window, named by this.
    pub window: i64,
    /// How long voters of a window are remembered.
    pub window_ends_in: Duration,
    /// What it adds to the entry's score.
    pub weight: f64,
    /// Entries the board keeps; those of the lowest score go first.
    pub most_entries: u64,
}

/// The store cannot be asked right now; the caller goes on without it.
#[derive(Debug, thiserror::Error)]
#[error("what replicas share is out of reach: {0}")]
pub struct Lost(pub String);

/// In the memory of one process, or in Redis for all of them; nobody waits long for either.
///
/// Anything kept here may be gone at any time, and what was written may not have been: a caller needs an answer for
/// each that is [`Lost`], and for a store that was emptied.
#[async_trait]
pub trait Shared: fmt::Debug + Send + Sync {
    /// Takes points out of a bucket, all or none. A budget goes on when Redis is away: then each process counts
    /// for itself, so `Lost` is not met in practice.
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost>;

    /// Counts a vote; false when this voter had it already, or when the window has all the voters it remembers.
    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost>;

    /// The best entries of a board with their scores, best first, equal ones by name.
    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost>;

    /// Values in the order of their keys; None where there is none.
    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost>;

    /// Keeps a value for a while, at most a month.
    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost>;

    /// Forgets values.
    async fn forget(&self, keys: &[String]) -> Result<(), Lost>;
}

/// A URL that is none of Redis.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong: shared.url: {0}")]
pub struct BadUrl(String);

/// What a house shares.
#[derive(Debug)]
pub struct Opened {
    /// Budgets, votes and values.
    pub shared: Arc<dyn Shared>,
    /// Values that are read often.
    pub near: Arc<Near>,
    /// Where revoked sessions are told, when there is more than one process to tell.
    pub bulletin: Option<Bulletin>,
}

impl Opened {
    /// What one process shares with itself.
    pub fn alone() -> Self {
        let shared: Arc<dyn Shared> = Arc::new(Memory::default());
        Self { near: Arc::new(Near::over_memory(shared.clone())), shared, bulletin: None }
    }
}

/// What the configuration asks for. It opens also when Redis is away, and finds it when it comes.
pub async fn open(config: &Config, tasks: &Tasks) -> Result<Opened, BadUrl> {
    if config.url.is_empty() {
        return Ok(Opened::alone());
    }
    let redis = Arc::new(Redis::open(&config.url, tasks).await?);
    let (near, bulletin) = (Arc::new(redis.near()), Some(redis.bulletin()));
    Ok(Opened { shared: redis, near, bulletin })
}

/// A voter's vote for an entry, in so few bytes that very many can be remembered.
fn ballot(vote: &Vote<'_>) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(vote.voter.len().to_be_bytes());
    hash.update(vote.voter);
    hash.update(vote.entry);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

impl Spent {
    /// From what a bucket held after it was asked.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole points")]
    fn of(granted: bool, left: f64, points: u64, rule: Allowance) -> Self {
        let asked = as_f64(points);
        let missing = (asked - left).max(0.0);
        // A bucket that never fills, or is smaller than what is asked, lets nobody wait for ever.
        let wait = Duration::try_from_secs_f64(missing / rule.per_second).unwrap_or(Duration::MAX);
        let wait = if asked > as_f64(rule.capacity) { Duration::MAX } else { wait };
        Self {
            granted,
            left: left.max(0.0) as u64,
            wait: if granted { Duration::ZERO } else { wait },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "points stay far below 2^52")]
fn as_f64(points: u64) -> f64 {
    points as f64
}
