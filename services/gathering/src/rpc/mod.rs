//! The calls of this room, each handed to the file of its topic.

mod gatherings;
mod memberships;
mod reads;

use async_trait::async_trait;
use moim_kit::Clock;
use moim_proto::gathering::v1::gathering_service_server::GatheringService;
use moim_proto::gathering::v1::*;
use moim_storage::Reads;
use tonic::{Request, Response, Status};

use crate::events::Cards;
use crate::store::Store;

/// The generated server's other half.
pub struct Rpc {
    store: Store,
    reads: Reads,
    cards: Cards,
    clock: Clock,
    max_hosted: i64,
}

impl Rpc {
    pub fn new(store: Store, reads: Reads, cards: Cards, clock: Clock, max_hosted: u32) -> Self {
        Self { store, reads, cards, clock, max_hosted: max_hosted.into() }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl GatheringService for Rpc {
    async fn list(&self, request: Request<ListRequest>) -> Answer<ListResponse> {
        Ok(reads::list(self, request).await?)
    }

    async fn batch_get(&self, request: Request<BatchGetRequest>) -> Answer<BatchGetResponse> {
        Ok(reads::batch_get(self, request).await?)
    }

    async fn batch_get_memberships(
        &self,
        request: Request<BatchGetMembershipsRequest>,
    ) -> Answer<BatchGetMembershipsResponse> {
        Ok(reads::batch_get_memberships(self, request).await?)
    }

    async fn batch_list_memberships(
        &self,
        request: Request<BatchListMembershipsRequest>,
    ) -> Answer<BatchListMembershipsResponse> {
        Ok(reads::batch_list_memberships(self, request).await?)
    }

    async fn list_viewer_memberships(
        &self,
        request: Request<ListViewerMembershipsRequest>,
    ) -> Answer<ListViewerMembershipsResponse> {
        Ok(reads::list_viewer_memberships(self, request).await?)
    }

    async fn list_regions(&self, _: Request<ListRegionsRequest>) -> Answer<ListRegionsResponse> {
        Ok(reads::list_regions())
    }

    async fn create(&self, request: Request<CreateRequest>) -> Answer<CreateResponse> {
        Ok(gatherings::create(self, request).await?)
    }

    async fn update(&self, request: Request<UpdateRequest>) -> Answer<UpdateResponse> {
        Ok(gatherings::update(self, request).await?)
    }

    async fn join(&self, request: Request<JoinRequest>) -> Answer<JoinResponse> {
        Ok(memberships::join(self, request).await?)
    }

    async fn leave(&self, request: Request<LeaveRequest>) -> Answer<LeaveResponse> {
        Ok(memberships::leave(self, request).await?)
    }

    async fn decide_membership(
        &self,
        request: Request<DecideMembershipRequest>,
    ) -> Answer<DecideMembershipResponse> {
        Ok(memberships::decide(self, request).await?)
    }

    async fn set_membership_role(
        &self,
        request: Request<SetMembershipRoleRequest>,
    ) -> Answer<SetMembershipRoleResponse> {
        Ok(memberships::set_role(self, request).await?)
    }

    async fn remove_membership(
        &self,
        request: Request<RemoveMembershipRequest>,
    ) -> Answer<RemoveMembershipResponse> {
        Ok(memberships::remove(self, request).await?)
    }
}
