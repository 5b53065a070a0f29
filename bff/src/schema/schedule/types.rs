//! Schedules and attendances; nothing here costs a call.

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::{GatheringId, OrderId, ScheduleId};
use moim_proto::schedule::v1 as proto;

use super::enums::{AttendOption, AttendanceState, ScheduleStatus};
use crate::schema::global_id::encode;
use crate::schema::member::types::Member;
use crate::schema::scalar::DateTime;

/// A meetup of a gathering, with limited seats.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Schedule {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Name of the meetup.
    pub title: String,
    /// What is planned.
    pub description: String,
    /// Where to meet.
    pub place: String,
    /// When it starts.
    pub starts_at: DateTime,
    /// When it ends; after it starts.
    pub ends_at: DateTime,
    /// IANA zone the host meant, such as Asia/Seoul.
    pub time_zone: String,
    /// Seats; goingCount and heldCount together never exceed it.
    pub capacity: i32,
    /// Seats taken.
    pub going_count: i32,
    /// Seats held for members who pay or decide.
    pub held_count: i32,
    /// Members in line for a seat.
    pub waitlist_count: i32,
    /// KRW; 0 is free.
    pub fee: i32,
    /// Full refund until then, none after; null when free.
    pub refundable_until: Option<DateTime>,
    /// Whether it takes sign-ups.
    pub status: ScheduleStatus,
    /// What the viewer can do now, decided by the server.
    pub viewer_option: AttendOption,
    /// The viewer's own attendance, in any state; null when there is none.
    pub viewer_attendance: Option<Attendance>,
    #[graphql(skip)]
    pub schedule_id: ScheduleId,
    #[graphql(skip)]
    pub gathering_id: GatheringId,
    #[graphql(skip)]
    pub ics_path: String,
}

/// A member's place, or place in line, at a schedule.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Attendance {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Whose place it is.
    pub member: Member,
    /// How far it got.
    pub state: AttendanceState,
    /// 1 is next; only while WAITLISTED.
    pub waitlist_position: Option<i32>,
    /// Until when the seat is held; only while PENDING_PAYMENT or OFFERED.
    pub hold_expires_at: Option<DateTime>,
    /// When it last changed.
    pub updated_at: DateTime,
    #[graphql(skip)]
    pub schedule_id: ScheduleId,
    /// Only of the viewer's own.
    #[graphql(skip)]
    pub order_id: Option<OrderId>,
}

impl TryFrom<proto::Schedule> for Schedule {
    type Error = Fault;

    fn try_from(schedule: proto::Schedule) -> Result<Self, Fault> {
        let schedule_id = schedule.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(schedule_id),
            title: schedule.title,
            description: schedule.description,
            place: schedule.place,
            starts_at: DateTime::from_us(schedule.starts_at_us),
            ends_at: DateTime::from_us(schedule.ends_at_us),
            time_zone: schedule.time_zone,
            capacity: schedule.capacity,
            going_count: schedule.going_count,
            held_count: schedule.held_count,
            waitlist_count: schedule.waitlist_count,
            fee: schedule.fee_krw,
            refundable_until: schedule.refundable_until_us.map(DateTime::from_us),
            status: schedule.status.try_into()?,
            viewer_option: schedule.viewer_option.try_into()?,
            viewer_attendance: schedule.viewer_attendance.map(Attendance::try_from).transpose()?,
            schedule_id,
            gathering_id: schedule.gathering_id.parse().map_err(Fault::internal)?,
            ics_path: schedule.ics_path,
        })
    }
}

impl TryFrom<Option<proto::Schedule>> for Schedule {
    type Error = Fault;

    fn try_from(schedule: Option<proto::Schedule>) -> Result<Self, Fault> {
        schedule.ok_or_else(|| Fault::internal("a schedule is missing"))?.try_into()
    }
}

impl TryFrom<proto::Attendance> for Attendance {
    type Error = Fault;

    fn try_from(attendance: proto::Attendance) -> Result<Self, Fault> {
        let order_id = attendance.order_id.map(|id| id.parse()).transpose();
        Ok(Self {
            id: encode::<moim_kit::id::Attendance>(attendance.id.parse().map_err(Fault::internal)?),
            member: attendance.member.try_into()?,
            state: attendance.state.try_into()?,
            waitlist_position: attendance.waitlist_position,
            hold_expires_at: attendance.hold_expires_at_us.map(DateTime::from_us),
            updated_at: DateTime::from_us(attendance.updated_at_us),
            schedule_id: attendance.schedule_id.parse().map_err(Fault::internal)?,
            order_id: order_id.map_err(Fault::internal)?,
        })
    }
}

impl TryFrom<Option<proto::Attendance>> for Attendance {
    type Error = Fault;

    fn try_from(attendance: Option<proto::Attendance>) -> Result<Self, Fault> {
        attendance.ok_or_else(|| Fault::internal("an attendance is missing"))?.try_into()
    }
}
