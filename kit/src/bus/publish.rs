//! Telling a room's facts to the broker, and knowing by its streams whether it still has what it acknowledged.

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishAckFuture;

use super::jetstream::{Bus, lost};
use super::{Fact, Kind, envelope};
use crate::fault::Fault;

/// Header with the signature of the body.
pub(super) const SIGNATURE: &str = "Moim-Signature";

/// What can be seen of a room's streams: another identity, or a smaller sequence than was once
/// acknowledged, is a broker that has lost something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When the streams were made.
    pub identity: String,
    /// Last sequence of states.
    pub states: i64,
    /// Last sequence of events.
    pub events: i64,
}

/// What the broker answered to a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acked {
    /// Highest sequence given to a state; 0 when there was none.
    pub states: i64,
    /// Highest sequence given to an event; 0 when there was none.
    pub events: i64,
    /// How many were known already.
    pub duplicates: usize,
    /// True when something new got a lower sequence than was acknowledged before it.
    pub went_back: bool,
}

/// Tells what one room has to tell.
#[derive(Clone, Debug)]
pub struct Publisher {
    bus: Bus,
    room: &'static str,
    nouns: &'static [&'static str],
}

impl Publisher {
    /// Of a room that tells these nouns.
    pub fn new(bus: Bus, room: &'static str, nouns: &'static [&'static str]) -> Self {
        Self { bus, room, nouns }
    }

    /// How the streams stand, which are made when they are not there.
    pub async fn standing(&self) -> Result<Standing, Fault> {
        let mut created = Vec::new();
        let mut last = Vec::new();
        for kind in [Kind::State, Kind::Event] {
            let mut stream = self.bus.stream(self.room, self.nouns, kind).await?;
            let info = stream.info().await.map_err(lost)?;
            created.push(info.created.unix_timestamp_nanos().to_string());
            last.push(sequence(info.state.last_sequence));
        }
        Ok(Standing { identity: created.join("/"), states: last[0], events: last[1] })
    }

    /// Tells facts in their order; returns once each is kept by the broker. `epoch` grows when everything
    /// is told again, so that the broker does not take it for a repetition.
    pub async fn publish<'a>(
        &self,
        facts: impl IntoIterator<Item = &'a Fact>,
        epoch: i64,
        known: &Standing,
    ) -> Result<Acked, Fault> {
        let mut waiting: Vec<(Kind, PublishAckFuture)> = Vec::new();
        for fact in facts {
            let body = envelope::wrap(fact);
            let mut headers = HeaderMap::new();
            headers.insert(SIGNATURE, self.bus.seal().sign(&body));
            let id = if epoch == 0 { fact.id.to_string() } else { format!("{}:{epoch}", fact.id) };
            headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
            let told = self.bus.context().publish_with_headers(fact.subject(), headers, body);
            waiting.push((fact.kind, told.await.map_err(lost)?));
        }
        let mut acked = Acked::default();
        for (kind, ack) in waiting {
            let ack = ack.await.map_err(lost)?;
            let (highest, before) = match kind {
                Kind::State => (&mut acked.states, known.states),
                Kind::Event => (&mut acked.events, known.events),
            };
            if ack.duplicate {
                acked.duplicates += 1;
                continue;
            }
            *highest = (*highest).max(sequence(ack.sequence));
            acked.went_back |= sequence(ack.sequence) <= before;
        }
        Ok(acked)
    }
}

fn sequence(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
