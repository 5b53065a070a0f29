//! Entry points for writing gatherings and memberships.

use async_graphql::{Context, Object, Result};
use moim_kit::Fault;
use moim_kit::id;
use moim_proto::gathering::v1::{
    CreateRequest, DecideMembershipRequest, JoinRequest, LeaveRequest, RemoveMembershipRequest,
    SetMembershipRoleRequest, UpdateRequest,
};

use super::SERVICE;
use super::input::{
    GatheringCreateInput, GatheringJoinInput, GatheringLeaveInput, GatheringUpdateInput,
    MembershipDecideInput, MembershipRemoveInput, MembershipSetRoleInput,
};
use super::types::{Gathering, Membership};
use crate::schema::error::payload;
use crate::schema::global_id::{decode, decode_region};
use crate::schema::member::clearable;
use crate::schema::scope::Scope;

/// Writes of the gathering service.
#[derive(Default)]
pub struct GatheringMutation;

/// Calls the service under the field's idempotency key and makes the payload of its answer.
macro_rules! write {
    ($ctx:expr, $call:ident($request:expr) -> $payload:ident($field:ident)) => {{
        let scope = Scope::of($ctx)?;
        let value = async {
            let request = scope.keyed($ctx)?.request($request);
            let answer = scope.upstream().gathering.$call(request).await?;
            answer.into_inner().$field.try_into()
        };
        let value: Result<_, Fault> = value.await;
        $payload::new(scope, SERVICE, value)
    }};
}

#[Object]
impl GatheringMutation {
    /// Starts a gathering with the viewer as host.
    async fn gathering_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: GatheringCreateInput,
    ) -> Result<Option<GatheringCreatePayload>> {
        let request = CreateRequest {
            title: input.title,
            description: input.description,
            category: input.category.into_proto(),
            region_code: decode_region(&input.region_id),
            capacity: input.capacity,
            join_policy: input.join_policy.into_proto(),
            image_url: input.image_url.map(|url| url.0),
        };
        write!(ctx, create(request) -> GatheringCreatePayload(gathering))
    }

    /// Changes a gathering; host and managers.
    async fn gathering_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: GatheringUpdateInput,
    ) -> Result<Option<GatheringUpdatePayload>> {
        let request = UpdateRequest {
            gathering_id: decode::<id::Gathering>(&input.gathering_id),
            title: input.title,
            description: input.description,
            category: input.category.map(|it| it.into_proto()),
            region_code: input.region_id.map(|id| decode_region(&id)),
            capacity: input.capacity,
            join_policy: input.join_policy.map(|it| it.into_proto()),
            image_url: clearable(input.image_url, |url| url.0),
            closed: input.closed,
        };
        write!(ctx, update(request) -> GatheringUpdatePayload(gathering))
    }

    /// Joins, or asks to join, as the policy says.
    async fn gathering_join(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: GatheringJoinInput,
    ) -> Result<Option<GatheringJoinPayload>> {
        let gathering_id = decode::<id::Gathering>(&input.gathering_id);
        let request = JoinRequest { gathering_id, message: input.message };
        write!(ctx, join(request) -> GatheringJoinPayload(membership))
    }

    /// Leaves, or takes back a request. A host hands over first.
    async fn gathering_leave(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: GatheringLeaveInput,
    ) -> Result<Option<GatheringLeavePayload>> {
        let request = LeaveRequest { gathering_id: decode::<id::Gathering>(&input.gathering_id) };
        write!(ctx, leave(request) -> GatheringLeavePayload(membership))
    }

    /// Approves or rejects a request; host and managers.
    async fn membership_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MembershipDecideInput,
    ) -> Result<Option<MembershipDecidePayload>> {
        let membership_id = decode::<id::Membership>(&input.membership_id);
        let request = DecideMembershipRequest { membership_id, approve: input.approve };
        write!(ctx, decide_membership(request) -> MembershipDecidePayload(membership))
    }

    /// Changes a role; host only. Giving HOST hands the gathering over.
    async fn membership_set_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MembershipSetRoleInput,
    ) -> Result<Option<MembershipSetRolePayload>> {
        let membership_id = decode::<id::Membership>(&input.membership_id);
        let request = SetMembershipRoleRequest { membership_id, role: input.role.into_proto() };
        write!(ctx, set_membership_role(request) -> MembershipSetRolePayload(membership))
    }

    /// Removes a member, for good with ban; host and managers.
    async fn membership_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MembershipRemoveInput,
    ) -> Result<Option<MembershipRemovePayload>> {
        let membership_id = decode::<id::Membership>(&input.membership_id);
        let request = RemoveMembershipRequest { membership_id, ban: input.ban };
        write!(ctx, remove_membership(request) -> MembershipRemovePayload(membership))
    }
}

payload! {
    GatheringCreatePayload(gathering: Gathering) of "gatheringCreate", "The new gathering";
    GatheringUpdatePayload(gathering: Gathering) of "gatheringUpdate", "The gathering as it is now";
    GatheringJoinPayload(membership: Membership) of "gatheringJoin", "The viewer's membership";
    GatheringLeavePayload(membership: Membership) of "gatheringLeave", "The viewer's membership as it ended";
    MembershipDecidePayload(membership: Membership) of "membershipDecide", "The membership as decided";
    MembershipSetRolePayload(membership: Membership) of "membershipSetRole", "The membership with its new role";
    MembershipRemovePayload(membership: Membership) of "membershipRemove", "The membership as it ended";
}
