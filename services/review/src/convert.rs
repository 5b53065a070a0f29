//! Between the model and the messages of the contract.

use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::page::{PageArgs, PageSpec};
use moim_proto::member::v1 as member;
use moim_proto::page::v1::PageRequest;
use moim_proto::review::v1 as proto;

use crate::model::{Card, Rating, Review, Schedule};

pub fn review(review: &Review) -> proto::Review {
    proto::Review {
        id: review.id.to_string(),
        schedule_id: review.schedule.to_string(),
        gathering_id: review.gathering.to_string(),
        author: Some(card(&review.author)),
        rating: review.rating,
        body: review.body.clone(),
        created_at_us: review.created_at.us(),
        updated_at_us: review.updated_at.us(),
    }
}

pub fn review_state(review: &Review) -> proto::ReviewState {
    proto::ReviewState {
        id: review.id.to_string(),
        schedule_id: review.schedule.to_string(),
        gathering_id: review.gathering.to_string(),
        author_id: review.author.member.to_string(),
        rating: review.rating,
        deleted: review.deleted,
    }
}

pub fn rating_state(gathering: GatheringId, rating: Rating) -> proto::RatingState {
    proto::RatingState {
        gathering_id: gathering.to_string(),
        review_count: rating.count,
        rating_sum: rating.sum,
    }
}

pub fn review_event(review: &Review, schedule: &Schedule, host: MemberId) -> proto::ReviewEvent {
    proto::ReviewEvent {
        review_id: review.id.to_string(),
        schedule_id: schedule.id.to_string(),
        schedule_title: schedule.title.clone(),
        gathering_id: schedule.gathering.to_string(),
        author: Some(card(&review.author)),
        rating: review.rating,
        host_id: host.to_string(),
    }
}

/// Checks which page is asked for; `list` tags the cursors.
pub fn page_spec(page: Option<&PageRequest>, list: u8) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, list)
}

fn card(card: &Card) -> member::Card {
    member::Card {
        id: card.member.to_string(),
        nickname: card.nickname.clone(),
        avatar_url: card.avatar_url.clone(),
    }
}
