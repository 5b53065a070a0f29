//! The room's calls.

use async_trait::async_trait;
use moim_kit::call::respond;
use moim_kit::id::{GatheringId, Id, Noun, ReviewId, ScheduleId};
use moim_kit::page::Cursor;
use moim_kit::{Call, Clock, Fault};
use moim_proto::page::v1::{Page, PageRequest};
use moim_proto::review::v1 as proto;
use moim_proto::review::v1::review_service_server::ReviewService;
use moim_storage::{Idempotency, Reads, Replay, View};
use tonic::{Request, Response, Status};

use crate::fault::Reason;
use crate::model::{self, Review};
use crate::store::{self, Of, Store};
use crate::{convert, events};

const MOST_IDS: usize = 200;
const OF_GATHERING: u8 = 0x31;
const OF_SCHEDULE: u8 = 0x32;

/// Answers the calls of `moim.review.v1.ReviewService`.
pub struct Server {
    pub store: Store,
    pub reads: Reads,
    pub clock: Clock,
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl ReviewService for Server {
    async fn batch_get(
        &self,
        request: Request<proto::BatchGetRequest>,
    ) -> Answer<proto::BatchGetResponse> {
        let (call, request) = Call::take(request);
        let ids = request.ids;
        require_few(&ids).map_err(Fault::from)?;
        // What is no id names nothing.
        let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let view = self.reads.of(&call).await;
        let reviews = self.store.list_reviews(&view, ids).await?;
        let reviews = reviews.iter().map(convert::review).collect();
        Ok(Response::new(proto::BatchGetResponse { reviews }))
    }

    async fn batch_list_of_gatherings(
        &self,
        request: Request<proto::BatchListOfGatheringsRequest>,
    ) -> Answer<proto::BatchListOfGatheringsResponse> {
        let (call, asked) = Call::take(request);
        let ids = parsed::<moim_kit::id::Gathering>(&asked.gathering_ids, "gatheringIds")?;
        let view = self.reads.of(&call).await;
        let lists =
            self.lists(&view, Of::Gathering, &ids, asked.page.as_ref(), OF_GATHERING).await?;
        Ok(Response::new(proto::BatchListOfGatheringsResponse { lists }))
    }

    async fn batch_list_of_schedules(
        &self,
        request: Request<proto::BatchListOfSchedulesRequest>,
    ) -> Answer<proto::BatchListOfSchedulesResponse> {
        let (call, asked) = Call::take(request);
        let ids = parsed::<moim_kit::id::Schedule>(&asked.schedule_ids, "scheduleIds")?;
        let view = self.reads.of(&call).await;
        let lists = self.lists(&view, Of::Schedule, &ids, asked.page.as_ref(), OF_SCHEDULE).await?;
        Ok(Response::new(proto::BatchListOfSchedulesResponse { lists }))
    }

    async fn write(&self, request: Request<proto::WriteRequest>) -> Answer<proto::WriteResponse> {
        let (call, request) = Call::take(request);
        Ok(self.put(&call, request).await?)
    }

    async fn delete(
        &self,
        request: Request<proto::DeleteRequest>,
    ) -> Answer<proto::DeleteResponse> {
        let (call, request) = Call::take(request);
        Ok(self.take_back(&call, request).await?)
    }
}

impl Server {
    async fn lists<N: Noun>(
        &self,
        view: &View,
        of: Of,
        ids: &[Id<N>],
        page: Option<&PageRequest>,
        tag: u8,
    ) -> Result<Vec<proto::ReviewList>, Fault> {
        let page = convert::page_spec(page, tag)?;
        if page.cursor.is_some() && ids.len() > 1 {
            return Err(Reason::CursorNeedsOne.into());
        }
        let found = self.store.list_of(view, of, ids, &page).await?;
        let list = |id: &Id<N>| {
            let rows = found.get(&id.to_string()).cloned().unwrap_or_default();
            let cursor = |it: &Review| Cursor { key: it.created_at.us(), id: it.id.uuid() };
            let page = page.page(rows, cursor);
            proto::ReviewList {
                reviews: page.rows.iter().map(convert::review).collect(),
                page: Some(Page {
                    has_next_page: page.has_next_page,
                    has_previous_page: page.has_previous_page,
                    cursors: page.cursors,
                }),
            }
        };
        Ok(ids.iter().map(list).collect())
    }

    async fn put(
        &self,
        call: &Call,
        request: proto::WriteRequest,
    ) -> Result<Response<proto::WriteResponse>, Fault> {
        let member = call.require_caller()?.member;
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let (rating, body) = (model::rating(request.rating)?, model::body(&request.body)?);
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Write", &request, now).await? {
            Replay::Done(answer, written) => return Ok(respond(answer, written)),
            Replay::Fresh(key) => key,
        };
        let schedule = store::find_schedule(&mut tx, id).await?.ok_or(Reason::ScheduleNotFound)?;
        let attended = store::has_attended(&mut tx, (id, member)).await?;
        model::require_reviewable(&schedule, attended, now)?;
        let author = store::find_card(&mut tx, member).await?.ok_or(Reason::CopyBehind)?;
        let gathering: GatheringId = schedule.gathering;
        let host = store::find_host(&mut tx, gathering).await?.ok_or(Reason::CopyBehind)?;
        let before = store::lock_rating(&mut tx, gathering).await?;
        let old = store::find_own(&mut tx, id, member).await?;
        if let Some(same) = old.as_ref().filter(|old| old.says(rating, &body)) {
            let answer = proto::WriteResponse { review: Some(convert::review(same)) };
            key.store(&mut tx, &answer).await?;
            return Ok(respond(answer, tx.commit().await?));
        }
        let new = Review {
            id: old.as_ref().map_or_else(ReviewId::fresh, |old| old.id),
            schedule: id,
            gathering,
            author,
            rating,
            body,
            deleted: false,
            created_at: old.as_ref().map_or(now, |old| old.created_at),
            updated_at: now,
            version: old.as_ref().map_or(1, |old| old.version + 1),
        };
        let after = before.with(old.as_ref(), &new);
        store::save(&mut tx, &new, after).await?;
        let trace = call.trace().to_string();
        events::tell(&mut tx, &new, after, &trace, now);
        if old.is_none() {
            events::tell_written(&mut tx, &new, &schedule, host, &trace, now);
        }
        let answer = proto::WriteResponse { review: Some(convert::review(&new)) };
        key.store(&mut tx, &answer).await?;
        Ok(respond(answer, tx.commit().await?))
    }

    async fn take_back(
        &self,
        call: &Call,
        request: proto::DeleteRequest,
    ) -> Result<Response<proto::DeleteResponse>, Fault> {
        let member = call.require_caller()?.member;
        let id = ReviewId::parse(&request.review_id, "reviewId")?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Delete", &request, now).await? {
            Replay::Done(answer, written) => return Ok(respond(answer, written)),
            Replay::Fresh(key) => key,
        };
        let found = store::find(&mut tx, id).await?.ok_or(Reason::ReviewNotFound)?;
        let before = store::lock_rating(&mut tx, found.gathering).await?;
        let old = store::find(&mut tx, id).await?.ok_or(Reason::ReviewNotFound)?;
        if old.deleted {
            return Err(Reason::ReviewNotFound.into());
        }
        if old.author.member != member {
            return Err(Reason::NotAllowed.into());
        }
        let new =
            Review { deleted: true, updated_at: now, version: old.version + 1, ..old.clone() };
        let after = before.with(Some(&old), &new);
        store::save(&mut tx, &new, after).await?;
        events::tell(&mut tx, &new, after, &call.trace().to_string(), now);
        let answer = proto::DeleteResponse { review_id: id.to_string() };
        key.store(&mut tx, &answer).await?;
        Ok(respond(answer, tx.commit().await?))
    }
}

fn parsed<N: Noun>(texts: &[String], field: &'static str) -> Result<Vec<Id<N>>, Fault> {
    require_few(texts)?;
    texts.iter().map(|text| Id::parse(text, field)).collect()
}

fn require_few(ids: &[String]) -> Result<(), Reason> {
    if ids.len() > MOST_IDS { Err(Reason::TooManyIds) } else { Ok(()) }
}
