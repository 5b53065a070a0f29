//! How long a request waited for others: calls that overlap are waited for once.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Time with at least one call in flight; clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    in_flight: u32,
    since: Option<Instant>,
    total: Duration,
}

/// A call is in flight for as long as this is held.
#[derive(Debug)]
pub(crate) struct Waiting(Waits);

impl Waits {
    /// One more call is in flight.
    pub(crate) fn begin(&self) -> Waiting {
        self.0.lock().begin(Instant::now());
        Waiting(self.clone())
    }

    /// So far, with what is in flight.
    pub(crate) fn total(&self) -> Duration {
        self.0.lock().total(Instant::now())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.lock().end(Instant::now());
    }
}

impl State {
    fn begin(&mut self, now: Instant) {
        if self.in_flight == 0 {
            self.since = Some(now);
        }
        self.in_flight += 1;
    }

    fn end(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.in_flight == 0
            && let Some(since) = self.since.take()
        {
            self.total += now.saturating_duration_since(since);
        }
    }

    fn total(&self, now: Instant) -> Duration {
        self.total + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls from one millisecond to another, taken together.
    fn waited(calls: &[(u64, u64)], until: u64) -> u64 {
        let start = Instant::now();
        let mut moves: Vec<_> = calls
            .iter()
            .flat_map(|(from, to)| [(*from, true), (*to, false)])
            .filter(|(at, _)| *at <= until)
            .collect();
        moves.sort_by_key(|(at, begins)| (*at, !begins));
        let mut waits = State::default();
        for (at, begins) in moves {
            let at = start + Duration::from_millis(at);
            if begins { waits.begin(at) } else { waits.end(at) }
        }
        let total = waits.total(start + Duration::from_millis(until));
        u64::try_from(total.as_millis()).unwrap()
    }

    #[test]
    fn calls_that_overlap_are_waited_for_once() {
        for (calls, until, expected) in [
            (&[][..], 100, 0),
            (&[(10, 30)], 100, 20),
            (&[(10, 30), (20, 50)], 100, 40),
            (&[(10, 50), (20, 30)], 100, 40),
            (&[(10, 20), (20, 30)], 100, 20),
            (&[(10, 20), (40, 60)], 100, 30),
            (&[(10, 200)], 100, 90),
        ] {
            assert_eq!(waited(calls, until), expected, "{calls:?}");
        }
    }
}
