//! Reading gatherings, rosters and regions: a few queries, however many rows.

use std::str::FromStr;

use moim_kit::id::{GatheringId, MemberId};
use moim_kit::{Call, Fault};
use moim_proto::gathering::v1 as proto;
use moim_proto::gathering::v1::{
    BatchGetMembershipsRequest, BatchGetMembershipsResponse, BatchGetRequest, BatchGetResponse,
    BatchListMembershipsRequest, BatchListMembershipsResponse, ListRegionsResponse, ListRequest,
    ListResponse, ListViewerMembershipsRequest, ListViewerMembershipsResponse, MembershipList,
};
use moim_proto::page::v1::Page;
use moim_storage::View;
use tonic::{Request, Response};

use super::Rpc;
use crate::fault::Reason;
use crate::model::{self, Filter, Gathering, Sort};
use crate::region;
use crate::roster::{self, Action, Membership, Status};
use crate::{convert, store};

const MAX_IDS: usize = 200;

// Tags of cursors: one of another list, or of another order of this one, is refused.
const ROSTER: u8 = 0x14;
const OWN: u8 = 0x15;
const fn tag(sort: Sort) -> u8 {
    match sort {
        Sort::Active => 0x11,
        Sort::Newest => 0x12,
        Sort::Popular => 0x13,
    }
}

pub(super) async fn list(
    rpc: &Rpc,
    request: Request<ListRequest>,
) -> Result<Response<ListResponse>, Fault> {
    let (call, request) = Call::take(request);
    let sort = convert::sort(request.sort)?;
    let filter = Filter {
        category: request.category.map(convert::category).transpose()?,
        region: request.region_code.as_deref().map(model::region).transpose()?,
        open_only: request.open_only,
    };
    let spec = convert::page_spec(request.page.as_ref(), tag(sort))?;
    let view = rpc.reads.of(&call).await;
    let found = store::list_gatherings(&view, &filter, sort, &spec).await?;
    let (rows, page) = convert::page(found);
    Ok(Response::new(ListResponse { gatherings: with_own(&view, &call, rows).await?, page }))
}

pub(super) async fn batch_get(
    rpc: &Rpc,
    request: Request<BatchGetRequest>,
) -> Result<Response<BatchGetResponse>, Fault> {
    let (call, request) = Call::take(request);
    let ids = known(&request.ids)?;
    let view = rpc.reads.of(&call).await;
    let found = store::find_gatherings(&view, &ids).await?;
    Ok(Response::new(BatchGetResponse { gatherings: with_own(&view, &call, found).await? }))
}

pub(super) async fn batch_get_memberships(
    rpc: &Rpc,
    request: Request<BatchGetMembershipsRequest>,
) -> Result<Response<BatchGetMembershipsResponse>, Fault> {
    let (call, request) = Call::take(request);
    let ids = known(&request.ids)?;
    let view = rpc.reads.of(&call).await;
    let found = store::find_memberships(&view, &ids).await?;
    let gatherings: Vec<_> = found.iter().map(|one| one.gathering).collect();
    let own = store::find_own_in(&view, call.viewer(), &gatherings).await?;
    let memberships = found
        .into_iter()
        .filter_map(|one| {
            let manages = manages(own.get(&one.gathering));
            shown(one, call.viewer(), manages)
        })
        .collect();
    Ok(Response::new(BatchGetMembershipsResponse { memberships }))
}

pub(super) async fn batch_list_memberships(
    rpc: &Rpc,
    request: Request<BatchListMembershipsRequest>,
) -> Result<Response<BatchListMembershipsResponse>, Fault> {
    let (call, request) = Call::take(request);
    let status = convert::status(request.status)?;
    let role = request.role.map(convert::role).transpose()?;
    let spec = convert::page_spec(request.page.as_ref(), ROSTER)?;
    limit(&request.gathering_ids)?;
    let parse = |id: &String| GatheringId::parse(id, "gatheringIds");
    let asked: Vec<_> = request.gathering_ids.iter().map(parse).collect::<Result<_, _>>()?;
    if spec.cursor.is_some() && asked.len() > 1 {
        return Err(Reason::CursorNeedsOne.into());
    }
    let view = rpc.reads.of(&call).await;
    let own = store::find_own_in(&view, call.viewer(), &asked).await?;
    let listed: Vec<_> = asked
        .iter()
        .copied()
        .filter(|id| status == Status::Active || manages(own.get(id)))
        .collect();
    let rosters = store::list_rosters(&view, &listed, status, role, &spec).await?;
    let lists = asked
        .iter()
        .map(|id| {
            let Some(roster) = rosters.get(id) else {
                return MembershipList { page: Some(Page::default()), ..MembershipList::default() };
            };
            let (rows, page) = convert::page(roster.clone());
            let manages = manages(own.get(id));
            let memberships =
                rows.into_iter().filter_map(|one| shown(one, call.viewer(), manages)).collect();
            MembershipList { memberships, page }
        })
        .collect();
    Ok(Response::new(BatchListMembershipsResponse { lists }))
}

pub(super) async fn list_viewer_memberships(
    rpc: &Rpc,
    request: Request<ListViewerMembershipsRequest>,
) -> Result<Response<ListViewerMembershipsResponse>, Fault> {
    let (call, request) = Call::take(request);
    let caller = call.require_caller()?;
    let status = request.status.map(convert::status).transpose()?;
    let spec = convert::page_spec(request.page.as_ref(), OWN)?;
    let view = rpc.reads.of(&call).await;
    let own = store::list_own(&view, caller.member, status, &spec).await?;
    let (own, page) = convert::page(own);
    let memberships = own.into_iter().map(convert::membership).collect();
    Ok(Response::new(ListViewerMembershipsResponse { memberships, page }))
}

pub(super) fn list_regions() -> Response<ListRegionsResponse> {
    Response::new(ListRegionsResponse {
        regions: region::all().iter().map(convert::region).collect(),
    })
}

/// Puts each gathering together with the caller's own membership of it; one query for all.
async fn with_own(
    view: &View,
    call: &Call,
    gatherings: Vec<Gathering>,
) -> Result<Vec<proto::Gathering>, Fault> {
    let ids: Vec<_> = gatherings.iter().map(|gathering| gathering.id).collect();
    let mut own = store::find_own_in(view, call.viewer(), &ids).await?;
    Ok(gatherings
        .into_iter()
        .map(|gathering| {
            let own = own.remove(&gathering.id);
            convert::gathering(gathering, own)
        })
        .collect())
}

fn manages(own: Option<&Membership>) -> bool {
    roster::require(own, Action::SeeRequests).is_ok()
}

fn shown(one: Membership, viewer: Option<MemberId>, manages: bool) -> Option<proto::Membership> {
    one.shown_to(viewer, manages).map(convert::membership)
}

fn limit(ids: &[String]) -> Result<(), Reason> {
    if ids.len() > MAX_IDS { Err(Reason::TooManyIds) } else { Ok(()) }
}

/// The ids among those asked for; what is no id names nothing.
fn known<T: FromStr>(ids: &[String]) -> Result<Vec<T>, Reason> {
    limit(ids)?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}
