//! What one process shares with itself: the same face as Redis, bounded, gone with the process.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Allowance, Lost, Shared, Spent, Vote};

/// Buckets, and values, that are kept at most.
const MOST_KEPT: u64 = 100_000;
/// Voters remembered on one board in one window; votes beyond are not counted.
const MOST_VOTERS: usize = 100_000;

/// In memory.
#[derive(Debug)]
pub struct Memory {
    buckets: moka::sync::Cache<String, std::sync::Arc<Mutex<Bucket>>>,
    values: moka::sync::Cache<String, (Bytes, Instant)>,
    boards: Mutex<HashMap<String, Board>>,
}

#[derive(Debug)]
struct Bucket {
    points: f64,
    at: Instant,
}

#[derive(Debug, Default)]
struct Board {
    scores: HashMap<String, f64>,
    window: i64,
    voted: HashSet<(String, String)>,
}

impl Default for Memory {
    fn default() -> Self {
        let buckets = moka::sync::Cache::builder()
            .max_capacity(MOST_KEPT)
            .time_to_idle(Duration::from_secs(3_600));
        Self {
            buckets: buckets.build(),
            values: moka::sync::Cache::new(MOST_KEPT),
            boards: Mutex::default(),
        }
    }
}

#[async_trait]
impl Shared for Memory {
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost> {
        let now = Instant::now();
        let full =
            || std::sync::Arc::new(Mutex::new(Bucket { points: as_f64(rule.capacity), at: now }));
        let bucket = self.buckets.get_with_by_ref(bucket, full);
        let mut bucket = bucket.lock();
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.points = (bucket.points + since * rule.per_second).min(as_f64(rule.capacity));
        bucket.at = now;
        let asked = as_f64(points);
        let granted = bucket.points >= asked;
        if granted {
            bucket.points -= asked;
        }
        Ok(Spent::of(granted, bucket.points, asked, rule))
    }

    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost> {
        let mut boards = self.boards.lock();
        let board = boards.entry(vote.board.to_owned()).or_default();
        if board.window != vote.window {
            board.window = vote.window;
            board.voted = HashSet::new();
        }
        let ballot = (vote.voter.to_owned(), vote.entry.to_owned());
        if board.voted.len() >= MOST_VOTERS || !board.voted.insert(ballot) {
            return Ok(false);
        }
        *board.scores.entry(vote.entry.to_owned()).or_default() += vote.weight;
        let most = usize::try_from(vote.most_entries).unwrap_or(usize::MAX);
        if board.scores.len() > most {
            let kept = board.ranked().into_iter().take(most).collect();
            board.scores = kept;
        }
        Ok(true)
    }

    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost> {
        let ranked = self.boards.lock().get(board).map(Board::ranked).unwrap_or_default();
        Ok(ranked.into_iter().take(count).collect())
    }

    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
        let now = Instant::now();
        let value = |key| self.values.get(key).filter(|(_, until)| *until > now);
        Ok(keys.iter().map(|key| value(key).map(|(bytes, _)| bytes)).collect())
    }

    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost> {
        self.values.insert(key.to_owned(), (value, Instant::now() + time));
        Ok(())
    }

    async fn forget(&self, keys: &[String]) -> Result<(), Lost> {
        keys.iter().for_each(|key| self.values.invalidate(key));
        Ok(())
    }
}

impl Board {
    fn ranked(&self) -> Vec<(String, f64)> {
        let mut ranked: Vec<_> =
            self.scores.iter().map(|(entry, score)| (entry.clone(), *score)).collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        ranked
    }
}

impl Spent {
    /// From what a bucket held after it was asked.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole points")]
    pub(super) fn of(granted: bool, left: f64, asked: f64, rule: Allowance) -> Self {
        let missing = if granted { 0.0 } else { (asked - left).max(0.0) };
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
