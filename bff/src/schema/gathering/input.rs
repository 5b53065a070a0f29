//! What clients send to find and change gatherings.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::enums::{Category, JoinPolicy, MembershipRole};
use crate::schema::scalar::Url;

/// Narrows a list of gatherings.
#[derive(InputObject, Default)]
pub struct GatheringFilter {
    /// Only those about this.
    pub category: Option<Category>,
    /// Only those that meet here.
    pub region_id: Option<ID>,
    /// Only those that take members now.
    pub open_only: Option<bool>,
}

/// Input of gatheringCreate.
#[derive(InputObject)]
pub struct GatheringCreateInput {
    /// Name of the gathering.
    pub title: String,
    /// What it does, in the host's words.
    pub description: String,
    /// What it is about.
    pub category: Category,
    /// Where it meets.
    pub region_id: ID,
    /// Most members it takes, the host included.
    pub capacity: i32,
    /// How people get in.
    #[graphql(default_with = "JoinPolicy::Open")]
    pub join_policy: JoinPolicy,
    /// Cover picture.
    pub image_url: Option<Url>,
}

/// Input of gatheringUpdate; absent fields stay.
#[derive(InputObject)]
pub struct GatheringUpdateInput {
    /// Which one.
    pub gathering_id: ID,
    /// Name of the gathering.
    pub title: Option<String>,
    /// What it does, in the host's words.
    pub description: Option<String>,
    /// What it is about.
    pub category: Option<Category>,
    /// Where it meets.
    pub region_id: Option<ID>,
    /// Most members it takes, the host included.
    pub capacity: Option<i32>,
    /// How people get in.
    pub join_policy: Option<JoinPolicy>,
    /// Cover picture; null removes it.
    pub image_url: MaybeUndefined<Url>,
    /// True closes to newcomers.
    pub closed: Option<bool>,
}

/// Input of gatheringJoin.
#[derive(InputObject)]
pub struct GatheringJoinInput {
    /// Which one.
    pub gathering_id: ID,
    /// To the host, when approval is needed.
    pub message: Option<String>,
}

/// Input of gatheringLeave.
#[derive(InputObject)]
pub struct GatheringLeaveInput {
    /// Which one.
    pub gathering_id: ID,
}

/// Input of membershipDecide.
#[derive(InputObject)]
pub struct MembershipDecideInput {
    /// Which request.
    pub membership_id: ID,
    /// True lets in, false turns down.
    pub approve: bool,
}

/// Input of membershipSetRole.
#[derive(InputObject)]
pub struct MembershipSetRoleInput {
    /// Which one.
    pub membership_id: ID,
    /// The role to give.
    pub role: MembershipRole,
}

/// Input of membershipRemove.
#[derive(InputObject)]
pub struct MembershipRemoveInput {
    /// Which one.
    pub membership_id: ID,
    /// True forbids coming back.
    #[graphql(default = false)]
    pub ban: bool,
}
