//! What the room tells, and what it does about what others tell.

use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::id::MemberId;
use moim_kit::seen::Mark;
use moim_kit::serve::Gate as _;
use moim_kit::{Clock, Fault, Timestamp};
use moim_proto::chat::v1::ChatMessageEvent;
use moim_proto::gathering::v1::MembershipState;
use moim_proto::member::v1::MemberState;
use moim_storage::{Copies, Handler, Tx};
use prost::Message as _;

use crate::convert;
use crate::fault::Reason;
use crate::model::{Card, Message};
use crate::store::Store;

const CHAT_MESSAGE: &str = "chat_message";
const CHAT_DEPARTURE: &str = "chat_departure";
const MEMBER: &str = "member";

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &[MEMBER, "membership"];

/// Tells a message as it is from this version on. Whoever shows it live takes the client id out for
/// all but its author.
pub fn tell_message(tx: &mut Tx, message: &Message, trace: &str, now: Timestamp) {
    let whole = convert::message(message, Some(message.author.member));
    let event = ChatMessageEvent { message: Some(whole) };
    let topic = Some(message.gathering.uuid());
    tx.tell_event(CHAT_MESSAGE, message.id.uuid(), message.version, topic, &event, trace, now);
}

/// The cards of members, waited for when they are still on their way.
#[derive(Clone)]
pub struct Cards {
    pub store: Store,
    pub copies: Copies,
    pub wait: Duration,
}

impl Cards {
    /// The card of a member who is about to write; no message is without one.
    pub async fn present(&self, member: MemberId, now: Timestamp) -> Result<Card, Fault> {
        if let Some(card) = self.store.find_card(member).await? {
            return Ok(card);
        }
        // A card and the mark of its arrival are committed together, and every card has a version 1.
        let first = [Mark::new(MEMBER, member.uuid(), 1, now)];
        let _ = tokio::time::timeout(self.wait, self.copies.arrived(&first)).await;
        self.store.find_card(member).await?.ok_or_else(|| Reason::CardMissing.into())
    }
}

/// Keeps cards and rosters, and tells who is not in a gathering any more.
pub struct Copier {
    pub store: Store,
    pub clock: Clock,
}

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let payload = fact.payload.clone();
        if fact.noun == MEMBER {
            let state = MemberState::decode(payload).map_err(Fault::internal)?;
            return self.store.keep_card(tx, &convert::card_from(state)?, fact.version).await;
        }
        let state = MembershipState::decode(payload).map_err(Fault::internal)?;
        let (gathering, member, role, status) = convert::membership_from(&state)?;
        let of = (gathering, member);
        if self.store.keep_membership(tx, of, role, status, fact.version).await? {
            let event = convert::departure(gathering, member);
            let (topic, now) = (Some(gathering.uuid()), self.clock.now());
            let (id, version) = (fact.aggregate, fact.version);
            tx.tell_event(CHAT_DEPARTURE, id, version, topic, &event, &fact.trace, now);
        }
        Ok(())
    }
}
