//! Knobs of the shield.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::class::Class;

/// What a wire does so that one room's trouble stays that room's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// For a call that reads, milliseconds; less when its request ends sooner.
    pub read_timeout_ms: u64,
    /// For a call that writes, milliseconds; less when its request ends sooner.
    pub write_timeout_ms: u64,
    /// Repetitions per hundred calls that a room may be sent at most.
    pub retry_percent: u32,
    /// Repetitions a second that are free besides.
    pub retry_per_second: u32,
    /// Longest pause before the first repetition, milliseconds; it doubles.
    pub retry_pause_ms: u64,
    /// Longest pause before any, milliseconds.
    pub retry_pause_most_ms: u64,
    /// Calls of a class in flight to one room at the start; it adapts.
    pub in_flight: usize,
    /// Fewest that it adapts to.
    pub in_flight_least: usize,
    /// Most that it adapts to.
    pub in_flight_most: usize,
    /// Calls that may wait for others to end.
    pub queue: usize,
    /// For a call to wait for others to end, milliseconds.
    pub queue_wait_ms: u64,
    /// Calls that write and may wait for others to end.
    pub write_queue: usize,
    /// For a call that writes to wait for others to end, milliseconds.
    pub write_queue_wait_ms: u64,
    /// When to stop asking.
    pub breaker: BreakerConfig,
}

/// When a breaker opens, and when it closes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// The newest so many calls count; 0: those of the last `window_ms`.
    pub window_calls: usize,
    /// Calls of so long count, milliseconds, unless `window_calls` is set.
    pub window_ms: u64,
    /// Fewest calls that say anything.
    pub minimum_calls: u32,
    /// Opens when so many of a hundred failed.
    pub failure_percent: u32,
    /// Opens when so many of a hundred were slow.
    pub slow_percent: u32,
    /// A call of so long is slow, milliseconds; 0: by `slow_call_percent`.
    pub slow_call_ms: u64,
    /// A call is slow that took so much of a hundred of its timeout.
    pub slow_call_percent: u32,
    /// Stays open for so long, milliseconds; twice as long each time the probes fail.
    pub wait_ms: u64,
    /// Longest that it stays open, milliseconds.
    pub wait_most_ms: u64,
    /// The wait is so much of a hundred longer or shorter, by chance.
    pub jitter_percent: u32,
    /// Calls that find out whether to close again.
    pub probes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            read_timeout_ms: 4_000,
            write_timeout_ms: 9_000,
            retry_percent: 10,
            retry_per_second: 1,
            retry_pause_ms: 25,
            retry_pause_most_ms: 250,
            in_flight: 32,
            in_flight_least: 8,
            in_flight_most: 200,
            queue: 32,
            queue_wait_ms: 50,
            write_queue: 512,
            write_queue_wait_ms: 3_000,
            breaker: BreakerConfig::default(),
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window_calls: 0,
            window_ms: 10_000,
            minimum_calls: 20,
            failure_percent: 50,
            slow_percent: 80,
            slow_call_ms: 0,
            slow_call_percent: 80,
            wait_ms: 1_000,
            wait_most_ms: 2_000,
            jitter_percent: 20,
            probes: 3,
        }
    }
}

impl Config {
    pub(super) fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.read_timeout_ms)
    }

    pub(super) fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }

    /// How many calls of a class may wait for a place, and for how long.
    pub(super) fn queue(&self, class: Class) -> (usize, Duration) {
        let (calls, wait_ms) = match class {
            Class::Write => (self.write_queue, self.write_queue_wait_ms),
            _ => (self.queue, self.queue_wait_ms),
        };
        (calls, Duration::from_millis(wait_ms))
    }
}

impl BreakerConfig {
    /// From how long on a call is slow whose class has this timeout.
    pub(super) fn slow_after(&self, timeout: Duration) -> Duration {
        match self.slow_call_ms {
            0 => timeout * self.slow_call_percent / 100,
            ms => Duration::from_millis(ms),
        }
    }
}
