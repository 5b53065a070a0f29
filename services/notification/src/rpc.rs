//! The calls of this room: everybody reads their own notifications, and nobody else's.

use async_trait::async_trait;
use moim_kit::call::respond;
use moim_kit::id::NotificationId;
use moim_kit::page::Cursor;
use moim_kit::{Call, Clock, Fault};
use moim_proto::notification::v1::notification_service_server::NotificationService;
use moim_proto::notification::v1::*;
use moim_storage::{Idempotency, Reads, Replay};
use tonic::{Request, Response, Status};

use crate::convert;
use crate::fault::Reason;
use crate::model::LIST;
use crate::store::Store;

const MAX_IDS: usize = 200;
const MAX_RESUMED: i64 = 100;

/// Answers the calls of `moim.notification.v1.NotificationService`.
pub struct Server {
    pub store: Store,
    pub reads: Reads,
    pub clock: Clock,
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl NotificationService for Server {
    async fn batch_get(&self, request: Request<BatchGetRequest>) -> Answer<BatchGetResponse> {
        let (call, request) = Call::take(request);
        Ok(self.find(&call, request).await?)
    }

    async fn list(&self, request: Request<ListRequest>) -> Answer<ListResponse> {
        let (call, request) = Call::take(request);
        Ok(self.page(&call, request).await?)
    }

    async fn count_unread(
        &self,
        request: Request<CountUnreadRequest>,
    ) -> Answer<CountUnreadResponse> {
        let (call, _) = Call::take(request);
        Ok(self.count(&call).await?)
    }

    async fn mark_read(&self, request: Request<MarkReadRequest>) -> Answer<MarkReadResponse> {
        let (call, request) = Call::take(request);
        Ok(self.read(&call, request).await?)
    }

    async fn resume(&self, request: Request<ResumeRequest>) -> Answer<ResumeResponse> {
        let (call, request) = Call::take(request);
        Ok(self.go_on(&call, request).await?)
    }
}

impl Server {
    async fn find(
        &self,
        call: &Call,
        request: BatchGetRequest,
    ) -> Result<Response<BatchGetResponse>, Fault> {
        let caller = call.require_caller()?;
        if request.ids.len() > MAX_IDS {
            return Err(Reason::TooManyIds.into());
        }
        let ids = request.ids.iter().filter_map(|id| id.parse().ok()).collect();
        let view = self.reads.of(call).await;
        let found = self.store.find_own(&view, caller.member, ids).await?;
        let notifications = found.iter().map(convert::notification).collect();
        Ok(Response::new(BatchGetResponse { notifications }))
    }

    async fn page(
        &self,
        call: &Call,
        request: ListRequest,
    ) -> Result<Response<ListResponse>, Fault> {
        let member = call.require_caller()?.member;
        let spec = convert::page_spec(request.page.as_ref())?;
        let view = self.reads.of(call).await;
        if let Some(cursor) = spec.cursor {
            self.store.extent(&view, member).await?.require_own(cursor, member)?;
        }
        let page = self.store.list(&view, member, request.unread_only, &spec).await?;
        let notifications = page.rows.iter().map(convert::notification).collect();
        Ok(Response::new(ListResponse { notifications, page: Some(convert::page(&page)) }))
    }

    async fn count(&self, call: &Call) -> Result<Response<CountUnreadResponse>, Fault> {
        let member = call.require_caller()?.member;
        let view = self.reads.of(call).await;
        let unread = self.store.extent(&view, member).await?.unread;
        Ok(Response::new(CountUnreadResponse { count: small(unread)? }))
    }

    async fn read(
        &self,
        call: &Call,
        request: MarkReadRequest,
    ) -> Result<Response<MarkReadResponse>, Fault> {
        let member = call.require_caller()?.member;
        let id = NotificationId::parse(&request.up_to_id, "upToId")?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "MarkRead", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let newest = self.store.find_one(&mut tx, member, id).await?;
        let newest = newest.ok_or(Reason::NotificationNotFound)?;
        let unread = self.store.read_up_to(&mut tx, member, newest.sequence, now).await?;
        let response = MarkReadResponse { unread_count: small(unread)? };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    async fn go_on(
        &self,
        call: &Call,
        request: ResumeRequest,
    ) -> Result<Response<ResumeResponse>, Fault> {
        let member = call.require_caller()?.member;
        let cursor = request.after.as_deref();
        let cursor = cursor.map(|text| Cursor::decode(text, LIST, "after")).transpose()?;
        // Who follows must miss nothing that was told before it took its seat.
        let view = self.reads.primary();
        let extent = self.store.extent(&view, member).await?;
        let last_sequence = extent.last;
        let Some(cursor) = cursor else {
            return Ok(Response::new(ResumeResponse {
                last_sequence,
                ..ResumeResponse::default()
            }));
        };
        let after = extent.require_kept(cursor, member)?;
        let rows = self.store.list_after(&view, member, after, last_sequence, MAX_RESUMED).await?;
        // Numbers have no gaps: when the next one is missing it was swept a moment ago.
        let next = rows.first().map_or(last_sequence + 1, |first| first.sequence);
        if next != after + 1 {
            return Err(Reason::CursorExpired.into());
        }
        let end = rows.last().map_or(after, |last| last.sequence);
        let cursors = rows.iter().map(|row| row.cursor().encode(LIST)).collect();
        let notifications = rows.iter().map(convert::notification).collect();
        let more = end < last_sequence;
        Ok(Response::new(ResumeResponse { notifications, cursors, last_sequence, more }))
    }
}

fn small(count: i64) -> Result<i32, Fault> {
    i32::try_from(count).map_err(Fault::internal)
}
