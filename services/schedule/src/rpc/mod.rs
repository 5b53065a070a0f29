//! The room's calls, one method each; the work stands in the files beside this one.

mod attend;
#[cfg(test)]
mod fairness;
mod lead;
#[cfg(test)]
mod oversell;
mod pay;
mod read;
#[cfg(test)]
mod recheck;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod stage;

use std::time::Duration;

use async_trait::async_trait;
use moim_kit::{Call, Clock};
use moim_proto::schedule::v1 as proto;
use moim_proto::schedule::v1::schedule_service_server::ScheduleService;
use moim_storage::{Copies, Reads};
use tonic::{Request, Response, Status};

use crate::ics::Signer;
use crate::store::Store;

/// Answers the calls of `moim.schedule.v1.ScheduleService`.
pub struct Server {
    pub store: Store,
    pub reads: Reads,
    pub clock: Clock,
    pub copies: Copies,
    pub signer: Signer,
    pub card_wait: Duration,
    pub pay_wait: Duration,
}

type Answer<T> = Result<Response<T>, Status>;

/// Takes a request apart and hands it to the method of the same name.
macro_rules! hand {
    ($self:ident, $request:ident, $method:ident) => {{
        let (call, request) = Call::take($request);
        Ok($self.$method(&call, request).await?)
    }};
}

#[async_trait]
impl ScheduleService for Server {
    async fn batch_get(
        &self,
        request: Request<proto::BatchGetRequest>,
    ) -> Answer<proto::BatchGetResponse> {
        hand!(self, request, get_schedules)
    }

    async fn batch_list(
        &self,
        request: Request<proto::BatchListRequest>,
    ) -> Answer<proto::BatchListResponse> {
        hand!(self, request, list_schedules)
    }

    async fn batch_get_attendances(
        &self,
        request: Request<proto::BatchGetAttendancesRequest>,
    ) -> Answer<proto::BatchGetAttendancesResponse> {
        hand!(self, request, get_attendances)
    }

    async fn batch_list_attendances(
        &self,
        request: Request<proto::BatchListAttendancesRequest>,
    ) -> Answer<proto::BatchListAttendancesResponse> {
        hand!(self, request, list_attendances)
    }

    async fn list_viewer_attendances(
        &self,
        request: Request<proto::ListViewerAttendancesRequest>,
    ) -> Answer<proto::ListViewerAttendancesResponse> {
        hand!(self, request, list_own_attendances)
    }

    async fn create(
        &self,
        request: Request<proto::CreateRequest>,
    ) -> Answer<proto::CreateResponse> {
        hand!(self, request, announce)
    }

    async fn update(
        &self,
        request: Request<proto::UpdateRequest>,
    ) -> Answer<proto::UpdateResponse> {
        hand!(self, request, change)
    }

    async fn cancel(
        &self,
        request: Request<proto::CancelRequest>,
    ) -> Answer<proto::CancelResponse> {
        hand!(self, request, call_off)
    }

    async fn attend(
        &self,
        request: Request<proto::AttendRequest>,
    ) -> Answer<proto::AttendResponse> {
        hand!(self, request, sign_up)
    }

    async fn withdraw(
        &self,
        request: Request<proto::WithdrawRequest>,
    ) -> Answer<proto::WithdrawResponse> {
        hand!(self, request, step_back)
    }

    async fn record_attendance(
        &self,
        request: Request<proto::RecordAttendanceRequest>,
    ) -> Answer<proto::RecordAttendanceResponse> {
        hand!(self, request, record)
    }

    async fn get_calendar(
        &self,
        request: Request<proto::GetCalendarRequest>,
    ) -> Answer<proto::GetCalendarResponse> {
        hand!(self, request, calendar)
    }
}
