//! Reviews; nothing here costs a call.

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::{ReviewId, ScheduleId};
use moim_proto::review::v1 as proto;

use crate::schema::global_id::encode;
use crate::schema::member::types::Member;
use crate::schema::scalar::DateTime;

/// An attendee's opinion of a schedule; one per attendance, after it ended.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Review {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Who wrote it.
    pub author: Member,
    /// 1 to 5.
    pub rating: i32,
    /// What the author thought.
    pub body: String,
    /// When it was first written.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    #[graphql(skip)]
    pub schedule_id: ScheduleId,
}

impl TryFrom<proto::Review> for Review {
    type Error = Fault;

    fn try_from(review: proto::Review) -> Result<Self, Fault> {
        let id: ReviewId = review.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(id),
            author: review.author.try_into()?,
            rating: review.rating,
            body: review.body,
            created_at: DateTime::from_us(review.created_at_us),
            updated_at: DateTime::from_us(review.updated_at_us),
            schedule_id: review.schedule_id.parse().map_err(Fault::internal)?,
        })
    }
}

impl TryFrom<Option<proto::Review>> for Review {
    type Error = Fault;

    fn try_from(review: Option<proto::Review>) -> Result<Self, Fault> {
        review.ok_or_else(|| Fault::internal("a review is missing"))?.try_into()
    }
}
