//! Values that replicas share, held near: a hit costs no round trip, and a change elsewhere ends it at once.
//!
//! Redis tells every change of these keys. A read that was under way when its key changed is answered and never
//! held: the key's slot has another generation by then. Without a connection that tells, nothing is held.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use parking_lot::Mutex;

use super::{Lost, NEAR, Shared};
use crate::metrics;

/// Bytes held near at most.
const MOST_BYTES: u64 = 32 << 20;
/// No value is held longer, whatever is told.
const LIFE: Duration = Duration::from_secs(60);
/// Keys share these; a change of one refuses reads under way of others in its slot, which costs them a round trip.
const SLOTS: usize = 1_024;
const CONNECTION_BITS: u32 = 32;

/// Values held near; over memory, which is near already, it holds nothing itself.
pub struct Near {
    far: Arc<dyn Shared>,
    held: Option<Arc<Held>>,
}

impl Near {
    /// Over memory.
    pub fn over_memory(far: Arc<dyn Shared>) -> Self {
        Self { far, held: None }
    }

    pub(super) fn over_redis(far: Arc<dyn Shared>, held: Arc<Held>) -> Self {
        Self { far, held: Some(held) }
    }

    /// Values in the order of their keys; None where there is none.
    pub async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
        let Some((held, epoch)) = self.held.as_ref().and_then(|held| Some((held, held.epoch()?)))
        else {
            return self.far.values(&far_keys(keys)).await;
        };
        let mut found: Vec<_> = keys.iter().map(|key| held.get(key, epoch)).collect();
        let missing = || keys.iter().enumerate();
        let missing: Vec<_> = missing().filter(|(at, _)| found[*at].is_none()).collect();
        metrics::looked_up("near", keys.len() - missing.len(), missing.len());
        if !missing.is_empty() {
            let generations: Vec<_> = missing.iter().map(|(_, key)| held.generation(key)).collect();
            let keys: Vec<_> = missing.iter().map(|(_, key)| far_key(key)).collect();
            let read = self.far.values(&keys).await?;
            for (((at, key), generation), value) in missing.into_iter().zip(generations).zip(read) {
                held.hold(key, value.clone(), epoch, generation);
                found[at] = Some(value);
            }
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }

    /// Keeps a value for a while.
    pub async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost> {
        self.far.keep(&far_key(key), value, time).await
    }

    /// Forgets values.
    pub async fn forget(&self, keys: &[String]) -> Result<(), Lost> {
        self.far.forget(&far_keys(keys)).await
    }

    /// Whether changes are told, so that values are held near.
    pub fn is_following(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.epoch().is_some())
    }
}

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").field("far", &self.far).finish_non_exhaustive()
    }
}

fn far_key(key: &str) -> String {
    format!("{NEAR}{key}")
}

fn far_keys(keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| far_key(key)).collect()
}

/// What is held, and what is known of its changes.
pub(super) struct Held {
    /// Each with the epoch it was read in; absence is held too.
    values: Cache<String, (u64, Option<Bytes>)>,
    slots: Vec<Mutex<u64>>,
    hasher: std::hash::RandomState,
    /// Connection and how often everything changed on it; 0 while nothing is told.
    epoch: AtomicU64,
    connections: AtomicU64,
    #[cfg(test)]
    careless: bool,
}

impl Default for Held {
    fn default() -> Self {
        let size = |key: &String, (_, value): &(u64, Option<Bytes>)| {
            let bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let values = Cache::builder().max_capacity(MOST_BYTES).weigher(size).time_to_live(LIFE);
        Self {
            values: values.build(),
            slots: (0..SLOTS).map(|_| Mutex::default()).collect(),
            hasher: std::hash::RandomState::new(),
            epoch: AtomicU64::new(0),
            connections: AtomicU64::new(1),
            #[cfg(test)]
            careless: false,
        }
    }
}

impl Held {
    /// Without generations, for the proof that they are needed.
    #[cfg(test)]
    pub fn careless() -> Self {
        Self { careless: true, ..Self::default() }
    }

    /// The first epoch of a connection, in which nothing was held yet.
    pub fn next_epoch(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::SeqCst) << CONNECTION_BITS
    }

    /// Holds from now on, for changes are told on this connection.
    pub fn follow(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::SeqCst);
    }

    /// Holds nothing any more, unless another connection has taken over.
    pub fn lose(&self, epoch: u64) {
        self.step(epoch, |_| 0);
    }

    /// Everything has changed.
    pub fn renew(&self, epoch: u64) {
        self.step(epoch, |current| current + 1);
    }

    fn step(&self, epoch: u64, next: impl Fn(u64) -> u64) {
        let ours = |current: u64| current >> CONNECTION_BITS == epoch >> CONNECTION_BITS;
        let (set, get) = (Ordering::SeqCst, Ordering::SeqCst);
        let step = |current| ours(current).then(|| next(current));
        if self.epoch.fetch_update(set, get, step).is_ok() {
            self.values.invalidate_all();
        }
    }

    /// A key has changed.
    pub fn invalidate(&self, key: &str) {
        let mut generation = self.slot(key).lock();
        *generation += 1;
        self.values.invalidate(key);
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.epoch.load(Ordering::SeqCst)).filter(|epoch| *epoch != 0)
    }

    fn get(&self, key: &str, epoch: u64) -> Option<Option<Bytes>> {
        self.values.get(key).filter(|(of, _)| *of == epoch).map(|(_, value)| value)
    }

    fn generation(&self, key: &str) -> u64 {
        *self.slot(key).lock()
    }

    /// Holds what was read, unless it has changed since.
    fn hold(&self, key: &str, value: Option<Bytes>, epoch: u64, generation: u64) {
        let current = self.slot(key).lock();
        let unchanged = *current == generation;
        #[cfg(test)]
        let unchanged = unchanged || self.careless;
        if unchanged {
            self.values.insert(key.to_owned(), (epoch, value));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any slot will do")]
    fn slot(&self, key: &str) -> &Mutex<u64> {
        &self.slots[self.hasher.hash_one(key) as usize % SLOTS]
    }
}
