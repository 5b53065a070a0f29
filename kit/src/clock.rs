//! The one place that asks what time it is, so that a whole house can be moved in time together.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// An instant as microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch, as databases and messages carry it.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since the epoch.
    pub const fn us(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as JWT claims carry it.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant and a span after it; saturates.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span_us(span)))
    }

    /// This instant less a span; saturates.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span_us(span)))
    }
}

fn span_us(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A clock that every room of a house shares.
///
/// It follows the system's clock at a distance of zero; filling a town moves it into the past and back.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_us: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// The current instant.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> Timestamp {
        let system = chrono::Utc::now().timestamp_micros();
        Timestamp(system.saturating_add(self.offset_us.load(Ordering::Relaxed)))
    }

    /// How far it is from the system's clock, microseconds.
    pub fn offset_us(&self) -> i64 {
        self.offset_us.load(Ordering::Relaxed)
    }

    /// Moves the clock so that it shows `instant` now and runs on from there.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn set(&self, instant: Timestamp) {
        let system = chrono::Utc::now().timestamp_micros();
        self.offset_us.store(instant.0.saturating_sub(system), Ordering::Relaxed);
    }

    /// Follows the system's clock again.
    pub fn reset(&self) {
        self.offset_us.store(0, Ordering::Relaxed);
    }
}

/// The system's own instant: spans of one trace come from several processes, whatever their houses' clocks show.
#[allow(clippy::disallowed_methods, reason = "the one place that may")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_runs_on_and_comes_back() {
        let clock = Clock::system();
        let start = clock.now();
        clock.set(start.before(Duration::from_secs(86_400)));
        assert!(clock.now() < start);
        assert!(clock.clone().now() < start, "clones share the distance");
        clock.reset();
        assert!(clock.now() >= start);
    }
}
