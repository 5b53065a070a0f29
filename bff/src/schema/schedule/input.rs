//! What clients send to change schedules and attendances.

use async_graphql::{ID, InputObject};

use crate::schema::scalar::DateTime;

/// Input of scheduleCreate.
#[derive(InputObject)]
pub struct ScheduleCreateInput {
    /// Whose meetup it is.
    pub gathering_id: ID,
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
    /// IANA zone of the place.
    #[graphql(default = "Asia/Seoul")]
    pub time_zone: String,
    /// Seats.
    pub capacity: i32,
    /// KRW, 0 to 1,000,000.
    #[graphql(default = 0)]
    pub fee: i32,
    /// Full refund until then, none after; at most the start. Default: a day before it starts.
    pub refundable_until: Option<DateTime>,
}

/// Input of scheduleUpdate; absent fields stay. The fee is fixed once someone agreed to pay.
#[derive(InputObject)]
pub struct ScheduleUpdateInput {
    /// Which one.
    pub schedule_id: ID,
    /// Name of the meetup.
    pub title: Option<String>,
    /// What is planned.
    pub description: Option<String>,
    /// Where to meet.
    pub place: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime>,
    /// When it ends; after it starts.
    pub ends_at: Option<DateTime>,
    /// Seats.
    pub capacity: Option<i32>,
    /// KRW, 0 to 1,000,000.
    pub fee: Option<i32>,
    /// Full refund until then, none after; at most the start.
    pub refundable_until: Option<DateTime>,
    /// True closes sign-up.
    pub closed: Option<bool>,
}

/// Input of scheduleCancel.
#[derive(InputObject)]
pub struct ScheduleCancelInput {
    /// Which one.
    pub schedule_id: ID,
    /// Told to everyone going.
    pub reason: String,
}

/// Input of scheduleAttend.
#[derive(InputObject)]
pub struct ScheduleAttendInput {
    /// Which one.
    pub schedule_id: ID,
    /// When full, stand in line instead of failing.
    #[graphql(default = true)]
    pub join_waitlist: bool,
    /// Pay by itself when a seat frees up; else the seat is offered for a while.
    #[graphql(default = false)]
    pub auto_pay: bool,
    /// Go even if it overlaps another schedule.
    #[graphql(default = false)]
    pub allow_overlap: bool,
}

/// Input of scheduleWithdraw.
#[derive(InputObject)]
pub struct ScheduleWithdrawInput {
    /// Which one.
    pub schedule_id: ID,
}

/// Input of attendanceRecord.
#[derive(InputObject)]
pub struct AttendanceRecordInput {
    /// Which one.
    pub attendance_id: ID,
    /// True when the member came.
    pub attended: bool,
}
