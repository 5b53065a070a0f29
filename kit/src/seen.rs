//! Seen tokens: how far a client's own writes went, so that it always sees them.
//!
//! A mutation's answer names the versions it wrote. Sent along with later requests, they make a room
//! that copies those aggregates wait until its copy is that far (as Zanzibar's zookies do).

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
const LIFE_US: i64 = 60_000_000;
/// Most writes a token names; the oldest give way.
const MAX_MARKS: usize = 16;
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

/// Every recent write of a client.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Seen {
    #[prost(message, repeated, tag = "1")]
    marks: Vec<Mark>,
}

impl Seen {
    /// The writes, oldest first.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// True when there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
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
        self.marks.retain(|mark| (now.us() - LIFE_US..=now.us() + LIFE_US).contains(&mark.at_us));
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
            .filter(|seen| seen.marks.len() <= MAX_MARKS);
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
    fn nonsense_is_nothing_seen() {
        for text in ["", "%", "AAAA", &"A".repeat(5_000)] {
            assert!(Seen::decode_text(text).is_empty(), "{text}");
        }
    }
}
