//! Between the model and the messages of the contract.

use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::page::{Cursor, PageArgs, PageSpec};
use moim_proto::chat::v1 as proto;
use moim_proto::gathering::v1::{MembershipRole, MembershipState, MembershipStatus};
use moim_proto::member::v1 as member;
use moim_proto::page::v1::PageRequest;

use crate::model::{self, Card, Draft, Message, Role};

/// Tag of cursors of a chat; lists, answers to senders and live readers share them.
pub const LIST: u8 = moim_kit::page::CHAT_MESSAGES;

/// A message as its viewer sees it: the client id is shown to its author only.
pub fn message(message: &Message, viewer: Option<MemberId>) -> proto::ChatMessage {
    let own = viewer == Some(message.author.member);
    proto::ChatMessage {
        id: message.id.to_string(),
        gathering_id: message.gathering.to_string(),
        sequence: message.sequence,
        author: Some(card(&message.author)),
        body: message.body.clone(),
        sent_at_us: message.sent_at.us(),
        client_id: own.then(|| message.client_id.clone()),
    }
}

/// The place of a message in its gathering's chat.
pub fn place(message: &Message) -> Cursor {
    Cursor { key: message.sequence, id: message.gathering.uuid() }
}

/// A checked request to send.
pub fn draft(request: &proto::SendRequest) -> Result<Draft, Fault> {
    Ok(Draft {
        gathering: GatheringId::parse(&request.gathering_id, "gatheringId")?,
        body: model::body(&request.body)?,
        client_id: model::client_id(&request.client_id)?,
    })
}

/// Checks which page is asked for.
pub fn page_spec(page: Option<&PageRequest>) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, LIST)
}

/// A member as another room tells of them.
pub fn card_from(state: member::MemberState) -> Result<Card, Fault> {
    Ok(Card {
        member: state.id.parse().map_err(Fault::internal)?,
        nickname: state.nickname,
        avatar_url: state.avatar_url,
    })
}

/// Whose membership another room tells of, the role, and the name of the status.
pub fn membership_from(
    state: &MembershipState,
) -> Result<(GatheringId, MemberId, Role, &'static str), Fault> {
    let role = match state.role() {
        MembershipRole::Host => Role::Host,
        MembershipRole::Manager => Role::Manager,
        MembershipRole::Member => Role::Member,
        MembershipRole::Unspecified => return Err(Fault::internal("a membership without a role")),
    };
    let status = match state.status() {
        MembershipStatus::Pending => "PENDING",
        MembershipStatus::Active => "ACTIVE",
        MembershipStatus::Rejected => "REJECTED",
        MembershipStatus::Left => "LEFT",
        MembershipStatus::Removed => "REMOVED",
        MembershipStatus::Banned => "BANNED",
        MembershipStatus::Unspecified => {
            return Err(Fault::internal("a membership without a status"));
        }
    };
    let gathering = state.gathering_id.parse().map_err(Fault::internal)?;
    let member = state.member_id.parse().map_err(Fault::internal)?;
    Ok((gathering, member, role, status))
}

/// What is told of somebody who is not in a gathering any more.
pub fn departure(gathering: GatheringId, member: MemberId) -> proto::ChatDepartureEvent {
    proto::ChatDepartureEvent { gathering_id: gathering.to_string(), member_id: member.to_string() }
}

fn card(card: &Card) -> member::Card {
    member::Card {
        id: card.member.to_string(),
        nickname: card.nickname.clone(),
        avatar_url: card.avatar_url.clone(),
    }
}
