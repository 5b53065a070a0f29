//! Joining, leaving, and what hosts and managers do with memberships.

use moim_kit::call::respond;
use moim_kit::id::{GatheringId, MembershipId};
use moim_kit::{Call, Fault, Timestamp};
use moim_proto::gathering::v1::{
    DecideMembershipRequest, DecideMembershipResponse, JoinRequest, JoinResponse, LeaveRequest,
    LeaveResponse, MembershipMove, RemoveMembershipRequest, RemoveMembershipResponse,
    SetMembershipRoleRequest, SetMembershipRoleResponse,
};
use moim_storage::{Idempotency, Replay, Tx};
use tonic::{Request, Response};

use super::Rpc;
use crate::events::Happening;
use crate::fault::Reason;
use crate::model::{self, Gathering};
use crate::roster::{self, Membership, Move, RoleMove, Seat, Status};
use crate::{convert, events, store};

pub(super) async fn join(
    rpc: &Rpc,
    request: Request<JoinRequest>,
) -> Result<Response<JoinResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = GatheringId::parse(&request.gathering_id, "gatheringId")?;
    let message = model::message(request.message.as_deref().unwrap_or_default())?;
    let card = rpc.cards.present(caller.member, rpc.clock.now()).await?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "Join", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let gathering = store::lock_gathering(&mut tx, id).await?;
    let own = store::find_own(&mut tx, id, caller.member).await?;
    let step = roster::join(&gathering, own, card, message, now)?;
    let moved = match step.membership.status {
        Status::Active => MembershipMove::Joined,
        _ => MembershipMove::Requested,
    };
    let membership = settle(&mut tx, gathering, step, &Act { call: &call, moved, now }).await?;
    let answer = JoinResponse { membership: Some(convert::membership(membership)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

pub(super) async fn leave(
    rpc: &Rpc,
    request: Request<LeaveRequest>,
) -> Result<Response<LeaveResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = GatheringId::parse(&request.gathering_id, "gatheringId")?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "Leave", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let gathering = store::lock_gathering(&mut tx, id).await?;
    let own = store::find_own(&mut tx, id, caller.member).await?;
    let step = roster::leave(own, now)?;
    let act = Act { call: &call, moved: MembershipMove::Left, now };
    let membership = settle(&mut tx, gathering, step, &act).await?;
    let answer = LeaveResponse { membership: Some(convert::membership(membership)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

pub(super) async fn decide(
    rpc: &Rpc,
    request: Request<DecideMembershipRequest>,
) -> Result<Response<DecideMembershipResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = MembershipId::parse(&request.membership_id, "membershipId")?;
    let gathering_id = rpc.store.find_gathering_of(id).await?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "DecideMembership", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let gathering = store::lock_gathering(&mut tx, gathering_id).await?;
    let (own, target) = store::find_pair(&mut tx, gathering_id, caller.member, id).await?;
    let step = roster::decide(&gathering, own.as_ref(), target, request.approve, now)?;
    let moved = if request.approve { MembershipMove::Approved } else { MembershipMove::Rejected };
    let membership = settle(&mut tx, gathering, step, &Act { call: &call, moved, now }).await?;
    let answer = DecideMembershipResponse { membership: Some(convert::membership(membership)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

pub(super) async fn set_role(
    rpc: &Rpc,
    request: Request<SetMembershipRoleRequest>,
) -> Result<Response<SetMembershipRoleResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = MembershipId::parse(&request.membership_id, "membershipId")?;
    let role = convert::role(request.role)?;
    let gathering_id = rpc.store.find_gathering_of(id).await?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "SetMembershipRole", &request, now).await?
    {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let gathering = store::lock_gathering(&mut tx, gathering_id).await?;
    let (own, target) = store::find_pair(&mut tx, gathering_id, caller.member, id).await?;
    let act = Act { call: &call, moved: MembershipMove::RoleChanged, now };
    let membership = match roster::set_role(own.as_ref(), target.clone(), role, now)? {
        RoleMove::Unchanged => target,
        RoleMove::Changed(next) => {
            keep(&mut tx, &gathering, &next, &act).await?;
            next
        }
        RoleMove::HandedOver { former, heir } => {
            if store::count_hosted(&mut tx, heir.member.member).await? >= rpc.max_hosted {
                return Err(Reason::HostedLimit.into());
            }
            let next = gathering.hosted_by(heir.member.clone());
            store::update_gathering(&mut tx, &next).await?;
            events::tell_gathering(&mut tx, &next, &call, now);
            // The former first: at no moment may a gathering have two hosts.
            keep(&mut tx, &next, &former, &act).await?;
            keep(&mut tx, &next, &heir, &act).await?;
            heir
        }
    };
    let answer = SetMembershipRoleResponse { membership: Some(convert::membership(membership)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

pub(super) async fn remove(
    rpc: &Rpc,
    request: Request<RemoveMembershipRequest>,
) -> Result<Response<RemoveMembershipResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = MembershipId::parse(&request.membership_id, "membershipId")?;
    let gathering_id = rpc.store.find_gathering_of(id).await?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "RemoveMembership", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let gathering = store::lock_gathering(&mut tx, gathering_id).await?;
    let (own, target) = store::find_pair(&mut tx, gathering_id, caller.member, id).await?;
    let step = roster::remove(own.as_ref(), target, request.ban, now)?;
    let moved = if request.ban { MembershipMove::Banned } else { MembershipMove::Removed };
    let membership = settle(&mut tx, gathering, step, &Act { call: &call, moved, now }).await?;
    let answer = RemoveMembershipResponse { membership: Some(convert::membership(membership)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

/// What somebody does to a membership, and when.
struct Act<'a> {
    call: &'a Call,
    moved: MembershipMove,
    now: Timestamp,
}

/// Keeps and tells a move, and the seat that goes with it.
async fn settle(
    tx: &mut Tx,
    gathering: Gathering,
    step: Move,
    act: &Act<'_>,
) -> Result<Membership, Fault> {
    let gathering = match step.seat {
        Seat::Taken => store::take_seat(tx, gathering, act.now).await?,
        Seat::Freed => store::free_seat(tx, gathering).await?,
        Seat::Same => gathering,
    };
    if step.seat != Seat::Same {
        events::tell_gathering(tx, &gathering, act.call, act.now);
    }
    keep(tx, &gathering, &step.membership, act).await?;
    Ok(step.membership)
}

/// Keeps and tells the next version of a membership, and how it came to it.
async fn keep(
    tx: &mut Tx,
    gathering: &Gathering,
    membership: &Membership,
    act: &Act<'_>,
) -> Result<(), Fault> {
    store::save_membership(tx, membership).await?;
    events::tell_membership(tx, membership, act.call, act.now);
    let managers = match act.moved {
        MembershipMove::Requested => store::list_managers(tx, gathering.id).await?,
        _ => Vec::new(),
    };
    let happening = Happening {
        gathering,
        membership,
        moved: act.moved,
        actor: act.call.require_caller()?.member,
        managers: &managers,
    };
    events::tell_move(tx, &happening, act.call, act.now);
    Ok(())
}
