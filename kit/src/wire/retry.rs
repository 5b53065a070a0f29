//! Asking again after a failure: seldom, later, and only within a budget that all calls to a room fill.

use std::sync::Arc;
use std::time::Duration;

use super::budget::Budget;
use super::config::Config;
use crate::metrics;

const ATTEMPTS: u32 = 2;
/// What never reached the room put no load on it.
const ATTEMPTS_UNSENT: u32 = 3;

#[derive(Debug)]
pub(super) struct Retries {
    budget: Arc<Budget>,
    pause: Duration,
    pause_most: Duration,
}

/// How attempts went so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub attempts: u32,
    /// None of them reached the room.
    pub unsent: bool,
    /// What the room says of another try.
    pub pushback: Option<Option<Duration>>,
}

impl Retries {
    pub(super) fn new(room: &'static str, config: &Config) -> Self {
        let budget = Arc::new(Budget::new(config.retry_per_second, config.retry_percent));
        if let Some(catalogue) = metrics::catalogue() {
            catalogue.retry_budget.watch(&budget, &[metrics::room(room)], Budget::left);
        }
        Self {
            budget,
            pause: Duration::from_millis(config.retry_pause_ms),
            pause_most: Duration::from_millis(config.retry_pause_most_ms),
        }
    }

    /// Counts a call, of which a part may be repeated.
    pub(super) fn deposit(&self) {
        self.budget.deposit();
    }

    /// How long to pause before another attempt, when there may be one.
    pub(super) fn pause(&self, failed: Failed) -> Option<Duration> {
        let most = if failed.unsent { ATTEMPTS_UNSENT } else { ATTEMPTS };
        if failed.attempts >= most {
            return None;
        }
        if let Some(pushback) = failed.pushback {
            return pushback;
        }
        let doubled = 1 << (failed.attempts - 1).min(16);
        let longest = (self.pause * doubled).min(self.pause_most);
        // Anything between nothing and that: those who failed together do not come back together.
        Some(longest.mul_f64(rand::random_range(0.0..=1.0)))
    }

    /// Takes a repetition out of the budget.
    pub(super) fn withdraw(&self) -> bool {
        self.budget.withdraw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(attempts: u32, unsent: bool) -> Failed {
        Failed { attempts, unsent, pushback: None }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_few_and_what_was_not_sent_has_one_more() {
        let retries = Retries::new("test", &Config::default());
        assert!(retries.pause(failed(1, false)).is_some());
        assert!(retries.pause(failed(2, false)).is_none());
        assert!(retries.pause(failed(2, true)).is_some());
        assert!(retries.pause(failed(3, true)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_spread_over_all_of_their_length_and_a_room_may_set_them() {
        let retries = Retries::new("test", &Config::default());
        let pauses: Vec<_> = (0..1_000).filter_map(|_| retries.pause(failed(1, false))).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(25)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(5)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(20)));
        let told = Duration::from_millis(70);
        let pushed = |pushback| Failed { pushback: Some(pushback), ..failed(1, false) };
        assert_eq!(retries.pause(pushed(Some(told))), Some(told));
        assert_eq!(retries.pause(pushed(None)), None);
    }
}
