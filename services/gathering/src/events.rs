//! What this room tells and hears: gatherings and memberships go out, cards and ratings come in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Fact, Log};
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::seen::Mark;
use moim_kit::serve::Gate as _;
use moim_kit::{Call, Fault, Timestamp};
use moim_proto::gathering::v1::MembershipMove;
use moim_proto::member::v1::MemberState;
use moim_proto::review::v1::RatingState;
use moim_storage::{Copies, Ground, Handler, Reader, Tx};
use prost::Message as _;

use crate::convert;
use crate::fault::Reason;
use crate::model::{Card, Gathering, Rating};
use crate::roster::Membership;
use crate::store::{self, Store};

/// The nouns whose states are kept.
pub const COPIED: &[&str] = &[MEMBER, RATING];
const MEMBER: &str = "member";
const RATING: &str = "rating";
const GATHERING: &str = "gathering";
const MEMBERSHIP: &str = "membership";

/// The cards of members, waited for when they are still on their way.
#[derive(Clone)]
pub struct Cards {
    store: Store,
    copies: Copies,
    wait: Duration,
}

impl Cards {
    pub fn new(store: Store, copies: Copies, wait_ms: u64) -> Self {
        Self { store, copies, wait: Duration::from_millis(wait_ms) }
    }

    /// The card of a member who is about to be written down; nobody is without one.
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

/// Follows another room's log for as long as the house stands.
pub fn follow(source: &'static str, log: Arc<dyn Log>, ground: &Ground, copies: Copies) {
    let outbox = ground.outbox.clone();
    let handler = Arc::new(Copier);
    Reader { source, log, outbox, copies, handler }.start(&ground.tasks);
}

/// Keeps cards and ratings.
struct Copier;

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let payload = fact.payload.clone();
        if fact.noun == RATING {
            let state = RatingState::decode(payload).map_err(Fault::internal)?;
            let rating = Rating { count: state.review_count, sum: state.rating_sum };
            let gathering = GatheringId::from_uuid(fact.aggregate);
            return store::save_rating(tx, gathering, rating, fact.version).await;
        }
        let state = MemberState::decode(payload).map_err(Fault::internal)?;
        let member = MemberId::from_uuid(fact.aggregate);
        let card = Card { member, nickname: state.nickname, avatar_url: state.avatar_url };
        store::save_card(tx, card, fact.version).await
    }
}

/// Tells a gathering as it is from this version on.
pub fn tell_gathering(tx: &mut Tx, gathering: &Gathering, call: &Call, now: Timestamp) {
    let state = convert::gathering_state(gathering);
    let trace = call.trace().to_string();
    tx.tell(GATHERING, gathering.id.uuid(), gathering.version, &state, &trace, now);
}

/// Tells a membership as it is from this version on.
pub fn tell_membership(tx: &mut Tx, membership: &Membership, call: &Call, now: Timestamp) {
    let state = convert::membership_state(membership);
    let trace = call.trace().to_string();
    tx.tell(MEMBERSHIP, membership.id.uuid(), membership.version, &state, &trace, now);
}

/// How a membership came to its new version, for those who want to know.
pub struct Happening<'a> {
    /// As it is from then on.
    pub gathering: &'a Gathering,
    /// As it is from then on.
    pub membership: &'a Membership,
    pub moved: MembershipMove,
    pub actor: MemberId,
    /// Host and managers, when somebody asked to join; else nobody.
    pub managers: &'a [MemberId],
}

/// Tells how a membership moved, with the names of now.
pub fn tell_move(tx: &mut Tx, happening: &Happening<'_>, call: &Call, now: Timestamp) {
    let event = convert::membership_event(
        happening.gathering,
        happening.membership,
        happening.moved,
        happening.actor,
        happening.managers,
    );
    let (id, version) = (happening.membership.id.uuid(), happening.membership.version);
    let topic = happening.gathering.id.uuid();
    tx.tell_event(MEMBERSHIP, id, version, Some(topic), &event, &call.trace().to_string(), now);
}
