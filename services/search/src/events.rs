//! What the room hears: it keeps the newest state of whatever can be found.

use async_trait::async_trait;
use moim_kit::Fault;
use moim_kit::bus::{Fact, Kind};
use moim_proto::gathering::v1::GatheringState;
use moim_proto::member::v1::MemberState;
use moim_proto::schedule::v1::ScheduleState;
use moim_storage::{Handler, Tx};
use prost::Message as _;

use crate::{convert, store};

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["member", "gathering", "schedule"];

/// Keeps gatherings, schedules and members.
pub struct Copier;

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        if fact.kind != Kind::State {
            return Ok(());
        }
        let payload = fact.payload.clone();
        let (id, version) = (fact.aggregate, fact.version);
        match fact.noun.as_str() {
            "gathering" => {
                let state = GatheringState::decode(payload).map_err(Fault::internal)?;
                store::keep(tx, &convert::gathering(id, version, state), None, false).await
            }
            "schedule" => {
                let state = ScheduleState::decode(payload).map_err(Fault::internal)?;
                let gathering = state.gathering_id.parse().map_err(Fault::internal)?;
                // Nobody can come to what is cancelled.
                let gone = state.cancel_reason.is_some();
                let document = convert::schedule(id, version, state);
                store::keep(tx, &document, Some(gathering), gone).await
            }
            "member" => {
                let state = MemberState::decode(payload).map_err(Fault::internal)?;
                store::keep(tx, &convert::member(id, version, state), None, false).await
            }
            _ => Ok(()),
        }
    }
}
