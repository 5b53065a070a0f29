//! Gatherings, memberships and regions; nothing here costs a call.

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::GatheringId;
use moim_proto::gathering::v1 as proto;

use super::SERVICE;
use super::enums::{Category, GatheringStatus, JoinPolicy, MembershipRole, MembershipStatus};
use crate::last_known::Public;
use crate::schema::global_id::{encode, encode_region};
use crate::schema::member::types::Member;
use crate::schema::scalar::{DateTime, Url};

/// A standing group of people who share an interest.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Gathering {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Name of the gathering.
    pub title: String,
    /// What it does, in the host's words.
    pub description: String,
    /// What it is about.
    pub category: Category,
    /// Where it meets.
    pub region: Region,
    /// Cover picture; null when none was set.
    pub image_url: Option<Url>,
    /// How people get in.
    pub join_policy: JoinPolicy,
    /// Whether it takes members now.
    pub status: GatheringStatus,
    /// Most members it takes, the host included.
    pub capacity: i32,
    /// Active members, the host included.
    pub member_count: i32,
    /// The one member who leads it.
    pub host: Member,
    /// When it was started.
    pub created_at: DateTime,
    /// Mean of all reviews, 1 to 5; null without any.
    pub rating: Option<f64>,
    /// The viewer's own membership, or why it is not known when the rest is known from before only.
    #[graphql(skip)]
    pub viewer_membership: Result<Option<Membership>, Fault>,
    #[graphql(skip)]
    pub gathering_id: GatheringId,
}

/// A member's standing in a gathering.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Membership {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Whose standing it is.
    pub member: Member,
    /// Rights within the gathering.
    pub role: MembershipRole,
    /// Whether the member is in.
    pub status: MembershipStatus,
    /// What the applicant wrote; only for them, the host and managers.
    pub message: Option<String>,
    /// When it last changed.
    pub updated_at: DateTime,
    #[graphql(skip)]
    pub gathering_id: GatheringId,
}

/// An administrative area (시·군·구).
#[derive(SimpleObject, Clone, Debug)]
pub struct Region {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Full Korean name, such as 서울특별시 마포구.
    pub name: String,
}

impl From<proto::Region> for Region {
    fn from(region: proto::Region) -> Self {
        Self { id: encode_region(&region.code), name: region.name }
    }
}

impl TryFrom<proto::Gathering> for Gathering {
    type Error = Fault;

    fn try_from(gathering: proto::Gathering) -> Result<Self, Fault> {
        let gathering_id = gathering.id.parse().map_err(Fault::internal)?;
        let viewer_membership = gathering.viewer_membership.map(Membership::try_from);
        let region = gathering.region.ok_or_else(|| Fault::internal("a region is missing"))?;
        Ok(Self {
            id: encode(gathering_id),
            title: gathering.title,
            description: gathering.description,
            category: gathering.category.try_into()?,
            region: region.into(),
            image_url: gathering.image_url.map(Url),
            join_policy: gathering.join_policy.try_into()?,
            status: gathering.status.try_into()?,
            capacity: gathering.capacity,
            member_count: gathering.member_count,
            host: gathering.host.try_into()?,
            created_at: DateTime::from_us(gathering.created_at_us),
            rating: gathering.rating,
            viewer_membership: Ok(viewer_membership.transpose()?),
            gathering_id,
        })
    }
}

impl Gathering {
    /// As the service knew it before it fell silent.
    pub fn last_known(gathering: proto::Gathering, silence: &Fault) -> Result<Self, Fault> {
        Ok(Self { viewer_membership: Err(silence.clone()), ..gathering.try_into()? })
    }
}

impl Public for proto::Gathering {
    const NOUN: &'static str = "gathering";
    const SERVICE: &'static str = SERVICE;

    fn id(&self) -> &str {
        &self.id
    }

    fn without_viewer(&mut self) {
        self.viewer_membership = None;
    }
}

impl TryFrom<Option<proto::Gathering>> for Gathering {
    type Error = Fault;

    fn try_from(gathering: Option<proto::Gathering>) -> Result<Self, Fault> {
        gathering.ok_or_else(|| Fault::internal("a gathering is missing"))?.try_into()
    }
}

impl TryFrom<proto::Membership> for Membership {
    type Error = Fault;

    fn try_from(membership: proto::Membership) -> Result<Self, Fault> {
        Ok(Self {
            id: encode::<moim_kit::id::Membership>(membership.id.parse().map_err(Fault::internal)?),
            member: membership.member.try_into()?,
            role: membership.role.try_into()?,
            status: membership.status.try_into()?,
            message: membership.message,
            updated_at: DateTime::from_us(membership.updated_at_us),
            gathering_id: membership.gathering_id.parse().map_err(Fault::internal)?,
        })
    }
}

impl TryFrom<Option<proto::Membership>> for Membership {
    type Error = Fault;

    fn try_from(membership: Option<proto::Membership>) -> Result<Self, Fault> {
        membership.ok_or_else(|| Fault::internal("a membership is missing"))?.try_into()
    }
}
