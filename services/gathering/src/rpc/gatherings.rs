//! Starting and changing gatherings.

use moim_kit::call::respond;
use moim_kit::id::GatheringId;
use moim_kit::{Call, Fault};
use moim_proto::gathering::v1::{
    CreateRequest, CreateResponse, MembershipMove, UpdateRequest, UpdateResponse,
};
use moim_storage::{Idempotency, Replay};
use tonic::{Request, Response};

use super::Rpc;
use crate::events::Happening;
use crate::fault::Reason;
use crate::roster::{self, Action};
use crate::{convert, events, store};

pub(super) async fn create(
    rpc: &Rpc,
    request: Request<CreateRequest>,
) -> Result<Response<CreateResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let draft = convert::draft(&request)?;
    // Before the transaction: the card could not arrive while this one holds the only writer.
    let host = rpc.cards.present(caller.member, rpc.clock.now()).await?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "Create", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    if store::count_hosted(&mut tx, host.member).await? >= rpc.max_hosted {
        return Err(Reason::HostedLimit.into());
    }
    let gathering = draft.open(host, now);
    let own = roster::host(&gathering, now);
    store::insert_gathering(&mut tx, &gathering).await?;
    store::save_membership(&mut tx, &own).await?;
    events::tell_gathering(&mut tx, &gathering, &call, now);
    events::tell_membership(&mut tx, &own, &call, now);
    let happening = Happening {
        gathering: &gathering,
        membership: &own,
        moved: MembershipMove::Joined,
        actor: caller.member,
        managers: &[],
    };
    events::tell_move(&mut tx, &happening, &call, now);
    let answer = CreateResponse { gathering: Some(convert::gathering(gathering, Some(own))) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}

pub(super) async fn update(
    rpc: &Rpc,
    request: Request<UpdateRequest>,
) -> Result<Response<UpdateResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let id = GatheringId::parse(&request.gathering_id, "gatheringId")?;
    let change = convert::change(&request)?;
    let now = rpc.clock.now();
    let mut tx = rpc.store.begin().await?;
    let claim = match Idempotency::claim(&mut tx, &call, "Update", &request, now).await? {
        Replay::Done(answer, written) => return Ok(respond(answer, written)),
        Replay::Fresh(claim) => claim,
    };
    let mut gathering = store::lock_gathering(&mut tx, id).await?;
    let own = store::find_own(&mut tx, id, caller.member).await?;
    roster::require(own.as_ref(), Action::Update)?;
    if let Some(next) = gathering.changed(change, now)? {
        store::update_gathering(&mut tx, &next).await?;
        events::tell_gathering(&mut tx, &next, &call, now);
        gathering = next;
    }
    let answer = UpdateResponse { gathering: Some(convert::gathering(gathering, own)) };
    claim.store(&mut tx, &answer).await?;
    Ok(respond(answer, tx.commit().await?))
}
