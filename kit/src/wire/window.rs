//! The newest results of calls: the last so many, or those of the last so long.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::config::BreakerConfig;

/// What became of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub failed: bool,
    pub slow: bool,
}

/// Results counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub calls: u32,
    pub failed: u32,
    pub slow: u32,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.calls += 1;
        self.failed += u32::from(outcome.failed);
        self.slow += u32::from(outcome.slow);
    }

    fn take_away(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }

    /// True when too many failed or were slow.
    pub(super) fn is_bad(self, config: &BreakerConfig) -> bool {
        let reaches = |part: u32, percent: u32| {
            u64::from(part) * 100 >= u64::from(percent) * u64::from(self.calls)
        };
        reaches(self.failed, config.failure_percent) || reaches(self.slow, config.slow_percent)
    }
}

/// A window that slides over results.
#[derive(Debug)]
pub(super) enum Window {
    Calls { most: usize, results: VecDeque<Outcome>, tally: Tally },
    Time { slice: Duration, start: Instant, slices: [Tally; SLICES], newest: u128, tally: Tally },
}

/// A window of time forgets a slice at once: single results would cost memory by traffic.
pub(super) const SLICES: usize = 10;

impl Window {
    pub(super) fn new(config: &BreakerConfig, now: Instant) -> Self {
        if config.window_calls > 0 {
            let results = VecDeque::with_capacity(config.window_calls);
            return Self::Calls { most: config.window_calls, results, tally: Tally::default() };
        }
        let slice = Duration::from_millis((config.window_ms / SLICES as u64).max(1));
        let slices = [Tally::default(); SLICES];
        Self::Time { slice, start: now, slices, newest: 0, tally: Tally::default() }
    }

    /// Takes a result in and answers what counts now.
    pub(super) fn push(&mut self, outcome: Outcome, now: Instant) -> Tally {
        match self {
            Self::Calls { most, results, tally } => {
                if results.len() == *most
                    && let Some(oldest) = results.pop_front()
                {
                    let mut gone = Tally::default();
                    gone.add(oldest);
                    tally.take_away(gone);
                }
                results.push_back(outcome);
                tally.add(outcome);
                *tally
            }
            Self::Time { slice, start, slices, newest, tally } => {
                let now = now.saturating_duration_since(*start).as_nanos() / slice.as_nanos();
                let now = now.max(*newest);
                let passed = (now - *newest).min(SLICES as u128);
                for ahead in 1..=passed {
                    let stale = &mut slices[at(*newest + ahead)];
                    tally.take_away(std::mem::take(stale));
                }
                *newest = now;
                // After a long silence every slice was cleared, whichever they were.
                slices[at(now)].add(outcome);
                tally.add(outcome);
                *tally
            }
        }
    }
}

fn at(slice: u128) -> usize {
    // Below SLICES, so it fits.
    (slice % SLICES as u128) as usize
}
