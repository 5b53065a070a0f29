//! Entry points for writing schedules and attendances.

use async_graphql::{Context, Object, Result, SimpleObject};
use moim_kit::{Code, Fault, id};
use moim_proto::schedule::v1::{
    AttendRequest, CancelRequest, CreateRequest, RecordAttendanceRequest, UpdateRequest,
    WithdrawRequest,
};

use super::SERVICE;
use super::input::{
    AttendanceRecordInput, ScheduleAttendInput, ScheduleCancelInput, ScheduleCreateInput,
    ScheduleUpdateInput, ScheduleWithdrawInput,
};
use super::types::{Attendance, Schedule};
use crate::schema::error::{InsufficientBalanceError, ScheduleOverlapError, UserError, payload};
use crate::schema::global_id::decode;
use crate::schema::payment::types::krw;
use crate::schema::scalar::DateTime;
use crate::schema::scope::Scope;

/// Writes of the schedule service.
#[derive(Default)]
pub struct ScheduleMutation;

/// Calls the service under the field's idempotency key; answers the scope and what came of it.
macro_rules! write {
    ($ctx:expr, $call:ident($request:expr) -> $field:ident) => {{
        let scope = Scope::of($ctx)?;
        let value = async {
            let request = scope.keyed($ctx)?.request($request);
            let answer = scope.upstream().schedule.$call(request).await?;
            answer.into_inner().$field.try_into()
        };
        let value: Result<_, Fault> = value.await;
        (scope, value)
    }};
}

#[Object]
impl ScheduleMutation {
    /// Announces a schedule; host and managers.
    async fn schedule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ScheduleCreateInput,
    ) -> Result<Option<ScheduleCreatePayload>> {
        let request = CreateRequest {
            gathering_id: decode::<id::Gathering>(&input.gathering_id),
            title: input.title,
            description: input.description,
            place: input.place,
            starts_at_us: input.starts_at.us(),
            ends_at_us: input.ends_at.us(),
            time_zone: input.time_zone,
            capacity: input.capacity,
            fee_krw: input.fee,
            refundable_until_us: input.refundable_until.map(DateTime::us),
        };
        let (scope, schedule) = write!(ctx, create(request) -> schedule);
        ScheduleCreatePayload::new(scope, SERVICE, schedule)
    }

    /// Changes a schedule. More capacity promotes the waitlist; less never evicts.
    async fn schedule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ScheduleUpdateInput,
    ) -> Result<Option<ScheduleUpdatePayload>> {
        let request = UpdateRequest {
            schedule_id: decode::<id::Schedule>(&input.schedule_id),
            title: input.title,
            description: input.description,
            place: input.place,
            starts_at_us: input.starts_at.map(|it| it.us()),
            ends_at_us: input.ends_at.map(|it| it.us()),
            capacity: input.capacity,
            closed: input.closed,
            fee_krw: input.fee,
            refundable_until_us: input.refundable_until.map(DateTime::us),
        };
        let (scope, schedule) = write!(ctx, update(request) -> schedule);
        ScheduleUpdatePayload::new(scope, SERVICE, schedule)
    }

    /// Cancels a schedule and refunds everyone.
    async fn schedule_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ScheduleCancelInput,
    ) -> Result<Option<ScheduleCancelPayload>> {
        let schedule_id = decode::<id::Schedule>(&input.schedule_id);
        let request = CancelRequest { schedule_id, reason: input.reason };
        let (scope, schedule) = write!(ctx, cancel(request) -> schedule);
        ScheduleCancelPayload::new(scope, SERVICE, schedule)
    }

    /// Takes a seat, a place in line, or an offered seat; pays from the wallet. Key required.
    async fn schedule_attend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ScheduleAttendInput,
    ) -> Result<Option<ScheduleAttendPayload>> {
        let request = AttendRequest {
            schedule_id: decode::<id::Schedule>(&input.schedule_id),
            join_waitlist: input.join_waitlist,
            allow_overlap: input.allow_overlap,
            auto_pay: input.auto_pay,
        };
        let (scope, attendance) = write!(ctx, attend(request) -> attendance);
        ScheduleAttendPayload::explain(scope, attendance).await
    }

    /// Gives up a seat or a place in line; refunds by the rule; promotes the next.
    async fn schedule_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ScheduleWithdrawInput,
    ) -> Result<Option<ScheduleWithdrawPayload>> {
        let schedule_id = decode::<id::Schedule>(&input.schedule_id);
        let request = WithdrawRequest { schedule_id };
        let (scope, attendance) = write!(ctx, withdraw(request) -> attendance);
        ScheduleWithdrawPayload::new(scope, SERVICE, attendance)
    }

    /// Records who came; host and managers, from the start on.
    async fn attendance_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AttendanceRecordInput,
    ) -> Result<Option<AttendanceRecordPayload>> {
        let attendance_id = decode::<id::Attendance>(&input.attendance_id);
        let request = RecordAttendanceRequest { attendance_id, attended: input.attended };
        let (scope, attendance) = write!(ctx, record_attendance(request) -> attendance);
        AttendanceRecordPayload::new(scope, SERVICE, attendance)
    }
}

payload! {
    ScheduleCreatePayload(schedule: Schedule) of "scheduleCreate", "The new schedule";
    ScheduleUpdatePayload(schedule: Schedule) of "scheduleUpdate", "The schedule as it is now";
    ScheduleCancelPayload(schedule: Schedule) of "scheduleCancel", "The schedule, cancelled";
    ScheduleWithdrawPayload(attendance: Attendance) of "scheduleWithdraw", "The viewer's attendance, withdrawn";
    AttendanceRecordPayload(attendance: Attendance) of "attendanceRecord", "The attendance as recorded";
}

/// Result of scheduleAttend. Waits briefly for the payment; what is still PENDING_PAYMENT is settled by notification.
#[derive(SimpleObject)]
pub struct ScheduleAttendPayload {
    /// The viewer's place, or place in line; null on failure.
    attendance: Option<Attendance>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

impl ScheduleAttendPayload {
    /// As every payload, but an overlap shows where the viewer already goes, and lack of money how much.
    async fn explain(scope: &Scope, outcome: Result<Attendance, Fault>) -> Result<Option<Self>> {
        let fault = match outcome {
            Ok(attendance) => {
                return Ok(Some(Self { attendance: Some(attendance), user_errors: Vec::new() }));
            }
            Err(fault) => fault,
        };
        let overlapping = match (fault.code(), fault.about_id().map(str::parse)) {
            (Code::Overlaps, Some(Ok(schedule_id))) => {
                scope.loaders().schedule.load(schedule_id).await.ok().flatten()
            }
            _ => None,
        };
        let shortfall = fault.shortfall_krw().and_then(|amount| krw(amount).ok());
        let basic = UserError::try_new(scope, fault).map_err(scope.fail(SERVICE))?;
        let error = match (overlapping, shortfall) {
            (Some(schedule), _) => UserError::from(Box::new(ScheduleOverlapError {
                code: basic.code,
                message: basic.message,
                path: basic.path,
                overlapping: Schedule::clone(&schedule),
            })),
            (None, Some(shortfall)) => InsufficientBalanceError {
                code: basic.code,
                message: basic.message,
                path: basic.path,
                shortfall,
            }
            .into(),
            (None, None) => basic.into(),
        };
        Ok(Some(Self { attendance: None, user_errors: vec![error] }))
    }
}
