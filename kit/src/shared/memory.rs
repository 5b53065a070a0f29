//! What one process shares with itself: the same face as Redis, bounded, gone with the process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    Allowance, BOARD_LIFE, BUCKET_LIFE, Lost, MOST_VOTERS, Shared, Spent, VALUE_LIFE, Vote, as_f64,
    ballot,
};

/// Buckets that are kept at most.
const MOST_BUCKETS: u64 = 100_000;
/// Bytes of values, and of their keys, that are kept at most.
const MOST_BYTES: u64 = 64 << 20;
/// Boards that are kept at most.
const MOST_BOARDS: u64 = 1_000;
/// Windows of a board whose voters are remembered; clocks of one house are never further apart.
const MOST_WINDOWS: usize = 4;

/// In memory.
#[derive(Debug)]
pub struct Memory {
    buckets: Cache<String, Arc<Mutex<Bucket>>>,
    values: Cache<String, (Bytes, Instant)>,
    boards: Cache<String, Arc<Mutex<Board>>>,
}

#[derive(Debug)]
struct Bucket {
    points: f64,
    at: Instant,
}

#[derive(Debug, Default)]
struct Board {
    scores: HashMap<String, f64>,
    windows: HashMap<i64, Window>,
}

#[derive(Debug)]
struct Window {
    ends_at: Instant,
    ballots: HashSet<[u8; 16]>,
}

impl Default for Memory {
    fn default() -> Self {
        let size = |key: &String, value: &(Bytes, Instant)| {
            u32::try_from(key.len() + value.0.len()).unwrap_or(u32::MAX)
        };
        let buckets = Cache::builder().max_capacity(MOST_BUCKETS).time_to_idle(BUCKET_LIFE);
        let values = Cache::builder().max_capacity(MOST_BYTES).weigher(size);
        let boards = Cache::builder().max_capacity(MOST_BOARDS).time_to_idle(BOARD_LIFE);
        Self {
            buckets: buckets.build(),
            values: values.time_to_live(VALUE_LIFE).build(),
            boards: boards.build(),
        }
    }
}

#[async_trait]
impl Shared for Memory {
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost> {
        let now = Instant::now();
        let full = || Arc::new(Mutex::new(Bucket { points: as_f64(rule.capacity), at: now }));
        let bucket = self.buckets.get_with_by_ref(bucket, full);
        let mut bucket = bucket.lock();
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.points = (bucket.points + since * rule.per_second).min(as_f64(rule.capacity));
        bucket.at = now.max(bucket.at);
        let granted = bucket.points >= as_f64(points);
        if granted {
            bucket.points -= as_f64(points);
        }
        Ok(Spent::of(granted, bucket.points, points, rule))
    }

    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost> {
        let board = self.boards.get_with_by_ref(vote.board, Arc::default);
        let mut board = board.lock();
        let counted = board.window(&vote).admit(ballot(&vote));
        if counted {
            *board.scores.entry(vote.entry.to_owned()).or_default() += vote.weight;
            let most = usize::try_from(vote.most_entries).unwrap_or(usize::MAX);
            if board.scores.len() > most {
                board.scores = board.ranked().into_iter().take(most).collect();
            }
        }
        Ok(counted)
    }

    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost> {
        let ranked = self.boards.get(board).map(|board| board.lock().ranked());
        Ok(ranked.unwrap_or_default().into_iter().take(count).collect())
    }

    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
        let now = Instant::now();
        let value = |key| self.values.get(key).filter(|(_, until)| *until > now);
        Ok(keys.iter().map(|key| value(key).map(|(bytes, _)| bytes)).collect())
    }

    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost> {
        self.values.insert(key.to_owned(), (value, Instant::now() + time.min(VALUE_LIFE)));
        Ok(())
    }

    async fn forget(&self, keys: &[String]) -> Result<(), Lost> {
        keys.iter().for_each(|key| self.values.invalidate(key));
        Ok(())
    }
}

impl Board {
    /// The window of a vote, without those that have ended.
    fn window(&mut self, vote: &Vote<'_>) -> &mut Window {
        let now = Instant::now();
        self.windows.retain(|_, window| window.ends_at > now);
        while self.windows.len() >= MOST_WINDOWS && !self.windows.contains_key(&vote.window) {
            let oldest = self.windows.keys().min().copied().unwrap_or_default();
            self.windows.remove(&oldest);
        }
        let ends_at = now + vote.window_ends_in.min(BOARD_LIFE);
        let opened = || Window { ends_at, ballots: HashSet::new() };
        self.windows.entry(vote.window).or_insert_with(opened)
    }

    fn ranked(&self) -> Vec<(String, f64)> {
        let mut ranked: Vec<_> =
            self.scores.iter().map(|(entry, score)| (entry.clone(), *score)).collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        ranked
    }
}

impl Window {
    fn admit(&mut self, ballot: [u8; 16]) -> bool {
        self.ballots.len() < MOST_VOTERS && self.ballots.insert(ballot)
    }
}
