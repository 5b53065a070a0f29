//! What the replicas of a house share and may lose: budgets, votes and values. Never the truth of anything.

mod memory;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use memory::Memory;

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
#[async_trait]
pub trait Shared: fmt::Debug + Send + Sync {
    /// Takes points out of a bucket, all or none.
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost>;

    /// Counts a vote; false when this voter had it already.
    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost>;

    /// The best entries of a board with their scores, best first, equal ones by name.
    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost>;

    /// Values in the order of their keys; None where there is none.
    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost>;

    /// Keeps a value for a while.
    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost>;

    /// Forgets values.
    async fn forget(&self, keys: &[String]) -> Result<(), Lost>;
}
