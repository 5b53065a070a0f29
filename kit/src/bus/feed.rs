//! What a broker delivers: facts, or what claims to be one, each to be settled once its effect is kept.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Fact;
use crate::fault::Fault;

/// Why a message is not taken for a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be read.
    Undecodable,
    /// Nobody of this house told it: it is not signed, or is of a noun that its room does not tell.
    Foreign,
}

impl Refusal {
    /// Its name in tables and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Undecodable => "FACT_UNDECODABLE",
            Self::Foreign => "FACT_FOREIGN",
        }
    }
}

/// One message on its way to one consumer.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where it was told.
    pub subject: String,
    /// The fact, or why there is none and what was there in its place.
    pub content: Result<Fact, (Refusal, Bytes)>,
    /// What settling names it by.
    pub(super) receipt: async_nats::Subject,
}

/// Deliveries to one consumer; what is not settled comes again.
#[async_trait]
pub trait Feed: Send {
    /// Up to `limit` deliveries, as many as are there once the first one is; none after `at_most`.
    async fn next(&mut self, limit: usize, at_most: Duration) -> Result<Vec<Delivery>, Fault>;

    /// Tells that these need not come again; called after the commit.
    async fn settle(&mut self, deliveries: &[Delivery]) -> Result<(), Fault>;

    /// Asks for no more; what was asked for still comes, and then [`Feed::next`] answers none at once.
    fn finish(&mut self) {}

    /// Gives back what was taken and is not settled, so that it need not be waited for until it comes elsewhere.
    async fn give_back(&mut self) {}
}
