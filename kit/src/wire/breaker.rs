//! A circuit breaker: asks a room that keeps failing no more, and finds out with a few calls when it is back.
//!
//! The states and their moves are Resilience4j's: closed, open, half-open. Other than there, a probe that
//! never returns does not keep it half-open for ever, and the wait grows while probes fail.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::class::Class;
use super::config::BreakerConfig;
use super::window::{Outcome, Tally, Window};
use crate::metrics;

/// One per room and class of call.
#[derive(Debug)]
pub(super) struct Breaker {
    room: &'static str,
    class: Class,
    config: BreakerConfig,
    /// A probe that is out for longer has failed.
    timeout: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Counts moves, so that what was let through before the last one changes nothing.
    epoch: u64,
    /// Openings since it was last closed.
    openings: u32,
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open { until: Instant },
    HalfOpen { permits: u32, out: u32, give_up: Instant, tally: Tally },
}

/// What a breaker does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Now {
    Closed,
    HalfOpen,
    Open,
}

/// Lets one call through; dropped without a result it was as if never made.
#[derive(Debug)]
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    epoch: u64,
    is_used: bool,
}

impl Breaker {
    pub(super) fn new(
        room: &'static str,
        class: Class,
        config: &BreakerConfig,
        timeout: Duration,
    ) -> Arc<Self> {
        let state = State::Closed(Window::new(config, Instant::now()));
        let inner = Mutex::new(Inner { state, epoch: 0, openings: 0 });
        let breaker = Self { room, class, config: config.clone(), timeout, inner };
        breaker.tell(Now::Closed);
        Arc::new(breaker)
    }

    #[cfg(test)]
    pub(super) fn now(&self) -> Now {
        match self.inner.lock().state {
            State::Closed(_) => Now::Closed,
            State::Open { .. } => Now::Open,
            State::HalfOpen { .. } => Now::HalfOpen,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.inner.lock().state, State::Closed(_))
    }

    /// Lets a call through, or says when the next may try.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Pass, Duration> {
        let mut inner = self.inner.lock();
        if !matches!(inner.state, State::Closed(_)) {
            self.enter_carefully(&mut inner)?;
        }
        Ok(Pass { breaker: self.clone(), epoch: inner.epoch, is_used: false })
    }

    fn enter_carefully(&self, inner: &mut Inner) -> Result<(), Duration> {
        let now = Instant::now();
        if let State::Open { until } = inner.state {
            if now < until {
                return Err(until - now);
            }
            let permits = self.config.probes.max(1);
            let tally = Tally::default();
            self.go(inner, State::HalfOpen { permits, out: 0, give_up: now, tally });
        }
        let State::HalfOpen { permits, out, give_up, .. } = &mut inner.state else { return Ok(()) };
        if *out > 0 && now >= *give_up {
            return Err(self.open(inner, now));
        }
        if *permits == 0 {
            let wait = Duration::from_millis(self.config.wait_ms);
            return Err(wait.min(*give_up - now));
        }
        *permits -= 1;
        *out += 1;
        *give_up = now + self.timeout;
        Ok(())
    }

    /// Counts what became of a stream long after it was let through; no probe waits for that.
    pub(super) fn record_later(&self, outcome: Outcome) {
        let inner = self.inner.lock();
        let epoch = inner.epoch;
        if matches!(inner.state, State::Closed(_)) {
            drop(inner);
            self.record(epoch, outcome);
        }
    }

    fn record(&self, epoch: u64, outcome: Outcome) {
        let now = Instant::now();
        let mut inner = self.inner.lock();
        if inner.epoch != epoch {
            return;
        }
        let probes = self.config.probes.max(1);
        let (tally, minimum, is_probe) = match &mut inner.state {
            State::Closed(window) => (window.push(outcome, now), self.config.minimum_calls, false),
            State::HalfOpen { out, tally, .. } => {
                *out -= 1;
                tally.add(outcome);
                (*tally, probes.min(self.config.minimum_calls), true)
            }
            State::Open { .. } => return,
        };
        if tally.calls < minimum {
            return;
        }
        if tally.is_bad(&self.config) {
            self.open(&mut inner, now);
        } else if is_probe {
            inner.openings = 0;
            let window = Window::new(&self.config, now);
            self.go(&mut inner, State::Closed(window));
        }
    }

    /// Opens, for longer each time in a row; answers for how long.
    fn open(&self, inner: &mut Inner, now: Instant) -> Duration {
        let most = Duration::from_millis(self.config.wait_most_ms);
        let doubled = 1_u32.checked_shl(inner.openings).unwrap_or(u32::MAX);
        let wait = Duration::from_millis(self.config.wait_ms).saturating_mul(doubled).min(most);
        // Without chance in it, all who wait for the room would come back at once.
        let spread = f64::from(self.config.jitter_percent) / 100.0;
        let wait = wait.mul_f64((1.0 + rand::random_range(-spread..=spread)).max(0.0));
        inner.openings = inner.openings.saturating_add(1);
        self.go(inner, State::Open { until: now + wait });
        wait
    }

    fn go(&self, inner: &mut Inner, state: State) {
        let (told, log) = match &state {
            State::Closed(_) => (Now::Closed, "is asked again"),
            State::Open { .. } => (Now::Open, "keeps failing and is not asked for a while"),
            State::HalfOpen { .. } => (Now::HalfOpen, "is tried"),
        };
        tracing::warn!(room = self.room, class = self.class.name(), "a room {log}");
        inner.state = state;
        inner.epoch += 1;
        self.tell(told);
    }

    fn tell(&self, state: Now) {
        let Some(catalogue) = metrics::catalogue() else { return };
        let labels = metrics::calling(self.room, self.class.name());
        let number = match state {
            Now::Closed => metrics::BREAKER_CLOSED,
            Now::HalfOpen => metrics::BREAKER_HALF_OPEN,
            Now::Open => metrics::BREAKER_OPEN,
        };
        catalogue.breaker.record(number, &labels);
    }
}

impl Pass {
    pub(super) fn record(mut self, outcome: Outcome) {
        self.is_used = true;
        self.breaker.record(self.epoch, outcome);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_used {
            return;
        }
        let mut inner = self.breaker.inner.lock();
        if inner.epoch == self.epoch
            && let State::HalfOpen { permits, out, .. } = &mut inner.state
        {
            *permits += 1;
            *out -= 1;
        }
    }
}
