//! Places in the history of a database, and what they say of how old a replica is.

use std::collections::VecDeque;
use std::time::Duration;

use moim_kit::seen::Position;
use tokio::time::Instant;

/// The primary is sounded so often.
pub(super) const SOUND_EVERY: Duration = Duration::from_secs(1);
/// Twice the longest lag that is borne.
const MOST: usize = 120;

/// A place in the write-ahead log. Timelines are counted up by each promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub timeline: u32,
    pub lsn: u64,
}

impl Place {
    /// True when all that was there at `other` is here. What is beyond the point where a later timeline left an
    /// earlier one is nowhere any more, so that nobody can be owed it.
    pub fn covers(self, other: Self) -> bool {
        self.timeline >= other.timeline && self.lsn >= other.lsn
    }
}

impl From<&Position> for Place {
    fn from(position: &Position) -> Self {
        Self { timeline: position.era, lsn: position.offset }
    }
}

/// Where the primary was at some instants, which tells since when a replica is behind.
#[derive(Debug, Default)]
pub(super) struct Soundings {
    /// Those the replica has not reached, oldest first.
    ahead: VecDeque<(Instant, Place)>,
    /// When that was which the replica shows, at least.
    as_of: Option<Instant>,
}

impl Soundings {
    /// The primary was there at that instant, or later. When too many wait the new one is left out: the replica
    /// has to reach the oldest first.
    pub fn take(&mut self, at: Instant, place: Place) {
        let due = |(last, _): &(Instant, Place)| at >= *last + SOUND_EVERY / 2;
        if self.ahead.len() < MOST && self.ahead.back().is_none_or(due) {
            self.ahead.push_back((at, place));
        }
    }

    /// The replica is there; answers the instant whose state it shows at least, if any is known.
    pub fn reached(&mut self, place: Place) -> Option<Instant> {
        while let Some((at, _)) = self.ahead.front().filter(|(_, ahead)| place.covers(*ahead)) {
            self.as_of = Some(*at);
            self.ahead.pop_front();
        }
        self.as_of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(timeline: u32, lsn: u64) -> Place {
        Place { timeline, lsn }
    }

    #[test]
    fn a_place_covers_what_is_before_it_on_its_own_timeline_and_those_it_came_from() {
        assert!(place(1, 9).covers(place(1, 9)) && place(2, 9).covers(place(1, 8)));
        for ahead in [place(1, 10), place(2, 9), place(2, 1)] {
            assert!(!place(1, 9).covers(ahead), "{ahead:?}");
        }
        let at = moim_kit::Timestamp::from_us(1);
        let unknown = Position::unknown("x", at);
        assert!(!place(u32::MAX - 1, u64::MAX).covers((&unknown).into()));
    }

    #[test]
    fn a_replica_is_as_old_as_the_newest_sounding_it_has_reached() {
        let (mut soundings, start) = (Soundings::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(soundings.reached(place(1, 5)), None, "nothing is known of how old it is");
        for second in 0..4 {
            soundings.take(at(second), place(1, 10 * second));
        }
        assert_eq!(soundings.reached(place(1, 15)), Some(at(1)));
        assert_eq!(soundings.reached(place(1, 16)), Some(at(1)));
        assert_eq!(soundings.reached(place(1, 99)), Some(at(3)));
        soundings.take(at(4), place(2, 50));
        assert_eq!(soundings.reached(place(1, 99)), Some(at(3)), "it did not follow the promotion");
        assert_eq!(soundings.reached(place(2, 50)), Some(at(4)));
    }

    #[test]
    fn a_replica_that_stands_still_costs_no_memory_and_is_not_young_at_once() {
        let (mut soundings, start) = (Soundings::default(), Instant::now());
        let at = |seconds: usize| start + SOUND_EVERY * u32::try_from(seconds).unwrap();
        for second in 0..10 * MOST {
            soundings.take(at(second), place(1, 1 + second as u64));
            soundings.take(at(second), place(1, 1 + second as u64));
        }
        assert_eq!(soundings.ahead.len(), MOST);
        assert_eq!(soundings.reached(place(1, u64::MAX)), Some(at(MOST - 1)));
    }
}
