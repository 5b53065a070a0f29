//! Facts and the logs they are read from: rooms never call each other, they tell.
//!
//! A log is what a room told, in the order it was published. In one process a room's outbox is the log;
//! a reader keeps its own position, in the same transaction as the effect. Over a broker the same log also
//! yields a [`Feed`]: deliveries that are settled once their effect is committed.

mod consumer;
mod envelope;
mod feed;
mod jetstream;
mod publish;
mod stream;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::fault::Fault;

pub use consumer::Consumer;
pub use envelope::Seal;
pub use feed::{Delivery, Feed, Refusal};
pub use jetstream::{Bus, Config, HeardLog};
pub use publish::{Acked, Publisher, Standing};

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The whole public state of an aggregate at one version; the newest is kept for ever.
    State,
    /// Something that happened, complete in itself; kept for days.
    Event,
}

impl Kind {
    /// Its name in subjects and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Event => "event",
        }
    }

    /// Reads what [`Kind::word`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::State, Self::Event].into_iter().find(|kind| kind.word() == word)
    }
}

/// What a room told of an aggregate at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Id of the message; a repetition has the same.
    pub id: Uuid,
    /// State or event.
    pub kind: Kind,
    /// Noun of the aggregate, such as `membership`.
    pub noun: String,
    /// Id of the aggregate.
    pub aggregate: Uuid,
    /// 1 for the first, without gaps between states; an event names the version it came with.
    pub version: i64,
    /// The owner's protobuf message.
    pub payload: Bytes,
    /// `traceparent` of the call that caused it.
    pub trace: String,
    /// When it was written.
    pub at: Timestamp,
    /// What live readers follow it by, such as the id of a gathering.
    pub topic: Option<Uuid>,
}

impl Fact {
    /// Where it belongs: `moim.<noun>.v1.state.<id>` or `moim.<noun>.v1.event.<id>`.
    pub fn subject(&self) -> String {
        format!("moim.{}.v1.{}.{}", self.noun, self.kind.word(), self.aggregate)
    }
}

/// A fact at its place in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Grows by one with each entry of a log; the first is 1.
    pub position: i64,
    /// What was told.
    pub fact: Fact,
}

/// What a room has told, readable from any position.
#[async_trait]
pub trait Log: Send + Sync {
    /// Up to `limit` entries after `position`, in order; empty when there is nothing newer.
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault>;

    /// Returns when there may be something newer than `position`, at the latest after `at_most`.
    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault>;

    /// How somebody receives what is told, when a broker keeps count for them; `None` when they are to
    /// follow by position.
    async fn feed(&self, _consumer: &Consumer) -> Result<Option<Box<dyn Feed>>, Fault> {
        Ok(None)
    }

    /// Counts and sums of the newest versions of a noun's aggregates; `None` when the owner cannot be asked.
    async fn digest(&self, _noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
        Ok(None)
    }

    /// How many facts somebody has still to take in; who follows by position has come to `position`. `None` when
    /// nobody counts.
    async fn lag(&self, _consumer: &Consumer, _position: i64) -> Result<Option<u64>, Fault> {
        Ok(None)
    }

    /// Newest states of a noun's aggregates in one bucket, by id, after an id.
    async fn states(
        &self,
        _noun: &str,
        _bucket: &str,
        _after: Option<Uuid>,
        _limit: u32,
    ) -> Result<Vec<Fact>, Fault> {
        Ok(Vec::new())
    }
}

/// What a room knows of the aggregates whose ids end alike: equal numbers mean equal versions, for a copy
/// is never ahead of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Last two characters of the ids.
    pub bucket: String,
    /// How many aggregates.
    pub count: i64,
    /// Sum of their newest versions.
    pub sum: i64,
}
