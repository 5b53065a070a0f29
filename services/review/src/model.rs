//! Reviews and ratings: what they are made of, and what they accept.

use moim_kit::Timestamp;
use moim_kit::id::{GatheringId, MemberId, ReviewId, ScheduleId};
use moim_kit::text::prose;

use crate::fault::Reason;

/// What this room knows of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub member: MemberId,
    pub nickname: String,
    pub avatar_url: Option<String>,
}

/// What this room knows of a schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub id: ScheduleId,
    pub gathering: GatheringId,
    pub title: String,
    pub ends_at: Timestamp,
}

/// An attendee's opinion of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub id: ReviewId,
    pub schedule: ScheduleId,
    pub gathering: GatheringId,
    pub author: Card,
    pub rating: i32,
    pub body: String,
    pub deleted: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

impl Review {
    /// Whether writing this would change nothing.
    pub fn says(&self, rating: i32, body: &str) -> bool {
        !self.deleted && self.rating == rating && self.body == body
    }
}

/// All reviews of a gathering that stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    pub count: i64,
    pub sum: i64,
    pub version: i64,
}

impl Rating {
    /// The next version, with one review as it was taken out and as it is put in.
    pub fn with(self, old: Option<&Review>, new: &Review) -> Self {
        let weight = |review: &Review| match review.deleted {
            true => (0, 0),
            false => (1, i64::from(review.rating)),
        };
        let (out, inside) = (old.map_or((0, 0), weight), weight(new));
        Self {
            count: self.count - out.0 + inside.0,
            sum: self.sum - out.1 + inside.1,
            version: self.version + 1,
        }
    }
}

/// Refuses a schedule that is not over, and who was not there.
pub fn require_reviewable(
    schedule: &Schedule,
    attended: bool,
    now: Timestamp,
) -> Result<(), Reason> {
    if schedule.ends_at > now {
        return Err(Reason::ScheduleNotEnded);
    }
    if attended { Ok(()) } else { Err(Reason::NotAttended) }
}

pub fn rating(number: i32) -> Result<i32, Reason> {
    if (1..=5).contains(&number) { Ok(number) } else { Err(Reason::RatingInvalid) }
}

pub fn body(text: &str) -> Result<String, Reason> {
    prose(text, 1..=2_000).ok_or(Reason::BodyInvalid)
}
