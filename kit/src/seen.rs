//! Seen tokens: how far a client's own writes went, so that it always sees them.
//!
//! A mutation's answer names the versions it wrote. Sent along with later requests, they make a room
//! that copies those aggregates wait until its copy is that far (as Zanzibar's zookies do). Where a room also
//! reads from replicas of its database, the answer names the position of that, too.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use uuid::Uuid;

use crate::clock::Timestamp;

/// Metadata key between rooms.
pub const METADATA: &str = "moim-seen";
/// HTTP header towards clients.
pub const HEADER: &str = "x-moim-seen";

/// After this long a write is taken to have arrived everywhere.
pub const LIFE: Duration = Duration::from_secs(60);
const LIFE_US: i64 = LIFE.as_micros() as i64;
/// Most writes a token names; the oldest give way.
const MAX_MARKS: usize = 16;
/// Most rooms whose position a token names.
const MAX_POSITIONS: usize = 16;
const MAX_TEXT: usize = 2_048;

/// The version a client wrote of one aggregate.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Mark {
    /// The aggregate's noun, as in subjects.
    #[prost(string, tag = "1")]
    pub noun: String,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    /// The version written.
    #[prost(int64, tag = "3")]
    pub version: i64,
    #[prost(int64, tag = "4")]
    at_us: i64,
}

impl Mark {
    /// Names a write of `version`.
    pub fn new(noun: &str, aggregate: Uuid, version: i64, at: Timestamp) -> Self {
        Self { noun: noun.to_owned(), id: aggregate.as_bytes().to_vec(), version, at_us: at.us() }
    }

    /// Id of the aggregate.
    pub fn aggregate(&self) -> Uuid {
        Uuid::from_slice(&self.id).unwrap_or_default()
    }
}

/// How far the database of a room was once it had answered a client.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Position {
    /// The room.
    #[prost(string, tag = "1")]
    pub room: String,
    /// Counts how often another server took the database over.
    #[prost(uint32, tag = "2")]
    pub era: u32,
    /// Place in the log of that era.
    #[prost(fixed64, tag = "3")]
    pub offset: u64,
    #[prost(int64, tag = "4")]
    at_us: i64,
}

impl Position {
    /// A place in the log of a room's database.
    pub fn new(room: &str, era: u32, offset: u64, at: Timestamp) -> Self {
        Self { room: room.to_owned(), era, offset, at_us: at.us() }
    }

    /// Somewhere in the log, nobody knows where: no replica is ever known to be that far.
    pub fn unknown(room: &str, at: Timestamp) -> Self {
        Self::new(room, u32::MAX, u64::MAX, at)
    }
}

/// Every recent write of a client.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Seen {
    #[prost(message, repeated, tag = "1")]
    marks: Vec<Mark>,
    #[prost(message, repeated, tag = "2")]
    positions: Vec<Position>,
    #[prost(bool, tag = "3")]
    all: bool,
}

impl Seen {
    /// The writes, oldest first.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// How far the database of a room must be.
    pub fn position(&self, room: &str) -> Option<&Position> {
        self.positions.iter().find(|position| position.room == room)
    }

    /// True when nothing older will do than what is there now.
    pub fn wants_all(&self) -> bool {
        self.all
    }

    /// Whoever has seen this is content only with what is there now.
    #[must_use]
    pub fn wanting_all(mut self) -> Self {
        self.all = true;
        self
    }

    /// True when there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.positions.is_empty() && !self.all
    }

    /// Takes in all that somebody else has seen.
    pub fn absorb(&mut self, other: Self) {
        self.merge(other.marks);
        other.positions.into_iter().for_each(|position| self.reach(position));
        self.all |= other.all;
    }

    /// Takes in how far a room's database is; of one room the farthest stays.
    pub fn reach(&mut self, new: Position) {
        match self.positions.iter_mut().find(|old| old.room == new.room) {
            Some(old) if (old.era, old.offset) < (new.era, new.offset) => *old = new,
            Some(_) => {}
            None => self.positions.push(new),
        }
        self.positions.sort_by_key(|position| position.at_us);
        let surplus = self.positions.len().saturating_sub(MAX_POSITIONS);
        self.positions.drain(..surplus);
    }

    /// Takes in newer writes; of one aggregate the highest version stays.
    pub fn merge(&mut self, newer: impl IntoIterator<Item = Mark>) {
        for mark in newer {
            match self.marks.iter_mut().find(|old| old.noun == mark.noun && old.id == mark.id) {
                Some(old) if old.version < mark.version => *old = mark,
                Some(_) => {}
                None => self.marks.push(mark),
            }
        }
        self.marks.sort_by_key(|mark| mark.at_us);
        let surplus = self.marks.len().saturating_sub(MAX_MARKS);
        self.marks.drain(..surplus);
    }

    /// Forgets what is old enough to have arrived, or claims to come from the future.
    pub fn expire(&mut self, now: Timestamp) {
        let lives = now.us() - LIFE_US..=now.us() + LIFE_US;
        self.marks.retain(|mark| lives.contains(&mark.at_us));
        self.positions.retain(|position| lives.contains(&position.at_us));
    }

    /// As it travels in headers and cookies.
    pub fn encode_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.encode_to_vec())
    }

    /// Reads what came from outside; nonsense counts as having seen nothing.
    pub fn decode_text(text: &str) -> Self {
        if text.len() > MAX_TEXT {
            return Self::default();
        }
        let decoded = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| Self::decode(bytes.as_slice()).ok())
            .filter(|seen| seen.marks.len() <= MAX_MARKS && seen.positions.len() <= MAX_POSITIONS);
        decoded.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_us(1_000_000_000_000);

    #[test]
    fn the_highest_version_of_each_aggregate_is_kept() {
        let id = Uuid::now_v7();
        let mut seen = Seen::default();
        seen.merge([2, 5, 3].map(|version| Mark::new("membership", id, version, NOW)));
        let read = Seen::decode_text(&seen.encode_text());
        assert_eq!(read.marks().len(), 1);
        assert_eq!((read.marks()[0].version, read.marks()[0].aggregate()), (5, id));
    }

    #[test]
    fn a_token_stays_small_and_forgets() {
        let mut seen = Seen::default();
        seen.merge(
            (0..40)
                .map(|n| Mark::new("member", Uuid::now_v7(), 1, Timestamp::from_us(NOW.us() + n))),
        );
        assert_eq!(seen.marks().len(), MAX_MARKS);
        seen.expire(Timestamp::from_us(NOW.us() + 2 * LIFE_US));
        assert!(seen.is_empty());
    }

    #[test]
    fn of_each_room_the_farthest_position_is_kept_over_eras() {
        let mut seen = Seen::default();
        for (era, offset) in [(1, 900), (2, 40), (1, 950), (2, 30)] {
            seen.reach(Position::new("chat", era, offset, NOW));
        }
        seen.reach(Position::new("member", 1, 7, NOW));
        let mut read = Seen::default();
        read.absorb(Seen::decode_text(&seen.encode_text()));
        let found = |room| read.position(room).map(|it| (it.era, it.offset));
        assert_eq!((found("chat"), found("member")), (Some((2, 40)), Some((1, 7))));
        assert_eq!(found("review"), None);
        read.expire(Timestamp::from_us(NOW.us() + 2 * LIFE_US));
        assert!(read.is_empty());
        assert!(!Seen::default().wanting_all().is_empty());
    }

    #[test]
    fn the_largest_token_is_read() {
        let mut seen = Seen::default();
        for n in 0..40 {
            let at = Timestamp::from_us(1_900_000_000_000_000 + n);
            seen.merge([Mark::new("attendance", Uuid::now_v7(), i64::MAX, at)]);
            seen.reach(Position::unknown(&format!("notification{n}"), at));
        }
        assert_eq!(Seen::decode_text(&seen.encode_text()), seen);
    }

    #[test]
    fn nonsense_is_nothing_seen() {
        for text in ["", "%", "AAAA", &"A".repeat(5_000)] {
            assert!(Seen::decode_text(text).is_empty(), "{text}");
        }
    }
}
