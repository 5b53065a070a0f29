//! Rows as the database gives them, and the model they stand for.

use std::str::FromStr;

use moim_kit::{Fault, Timestamp};

use crate::attendance::{Attendance, Shown, State};
use crate::model::{Card, Schedule};
use crate::order::{Failure, Phase, Seat};

/// Columns of [`ScheduleRow`].
macro_rules! schedule_columns {
    () => {
        "id, gathering_id, title, description, place, starts_at_us, ends_at_us, time_zone, \
         capacity, going_count, waitlist_count, next_ticket, closed, cancelled_at_us, \
         cancel_reason, sequence, version, created_at_us, fee_krw, refundable_until_us, held_count"
    };
}
pub(super) use schedule_columns;

/// Columns of [`AttendanceRow`].
macro_rules! attendance_columns {
    () => {
        "id, schedule_id, member_id, state, ticket, version, updated_at_us, order_id, auto_pay, \
         hold_expires_at_us"
    };
}
pub(super) use attendance_columns;

/// Columns of [`ShownRow`] and the tables they come from: `a` attendance, `s` schedule, `c` card.
macro_rules! shown_columns {
    () => {
        "a.id, a.schedule_id, a.member_id, a.state, a.ticket, a.version, a.updated_at_us, \
         a.order_id, a.auto_pay, a.hold_expires_at_us, \
         c.nickname, c.avatar_url, s.gathering_id, s.starts_at_us, \
         CASE WHEN a.state = 'WAITLISTED' THEN ( \
             SELECT COUNT(*) FROM attendance AS ahead \
             WHERE ahead.schedule_id = a.schedule_id AND ahead.state = 'WAITLISTED' \
               AND ahead.ticket <= a.ticket) END AS waitlist_position"
    };
}
pub(super) use shown_columns;

/// Columns of [`SeatRow`].
macro_rules! seat_columns {
    () => {
        "order_id, attendance_id, schedule_id, gathering_id, member_id, amount_krw, phase, \
         expires_at_us, refund, failure, shortfall_krw, version"
    };
}
pub(super) use seat_columns;

#[derive(sqlx::FromRow)]
pub(super) struct ScheduleRow {
    id: String,
    gathering_id: String,
    title: String,
    description: String,
    place: String,
    starts_at_us: i64,
    ends_at_us: i64,
    time_zone: String,
    capacity: i64,
    going_count: i64,
    waitlist_count: i64,
    next_ticket: i64,
    closed: bool,
    cancelled_at_us: Option<i64>,
    cancel_reason: Option<String>,
    sequence: i64,
    version: i64,
    created_at_us: i64,
    fee_krw: i64,
    refundable_until_us: Option<i64>,
    held_count: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct AttendanceRow {
    id: String,
    schedule_id: String,
    member_id: String,
    state: String,
    ticket: i64,
    version: i64,
    updated_at_us: i64,
    order_id: Option<String>,
    auto_pay: bool,
    hold_expires_at_us: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct ShownRow {
    #[sqlx(flatten)]
    attendance: AttendanceRow,
    nickname: String,
    avatar_url: Option<String>,
    gathering_id: String,
    starts_at_us: i64,
    waitlist_position: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct SeatRow {
    order_id: String,
    attendance_id: String,
    schedule_id: String,
    gathering_id: String,
    member_id: String,
    amount_krw: i64,
    phase: String,
    expires_at_us: i64,
    refund: bool,
    failure: Option<String>,
    shortfall_krw: i64,
    version: i64,
}

impl TryFrom<ScheduleRow> for Schedule {
    type Error = Fault;

    fn try_from(row: ScheduleRow) -> Result<Self, Fault> {
        Ok(Self {
            id: parsed(&row.id)?,
            gathering_id: parsed(&row.gathering_id)?,
            title: row.title,
            description: row.description,
            place: row.place,
            starts_at: Timestamp::from_us(row.starts_at_us),
            ends_at: Timestamp::from_us(row.ends_at_us),
            time_zone: row.time_zone,
            capacity: counted(row.capacity)?,
            going_count: counted(row.going_count)?,
            held_count: counted(row.held_count)?,
            waitlist_count: counted(row.waitlist_count)?,
            next_ticket: row.next_ticket,
            closed: row.closed,
            cancelled_at: row.cancelled_at_us.map(Timestamp::from_us),
            cancel_reason: row.cancel_reason,
            fee_krw: counted(row.fee_krw)?,
            refundable_until: row.refundable_until_us.map(Timestamp::from_us),
            sequence: row.sequence,
            version: row.version,
            created_at: Timestamp::from_us(row.created_at_us),
        })
    }
}

impl TryFrom<AttendanceRow> for Attendance {
    type Error = Fault;

    fn try_from(row: AttendanceRow) -> Result<Self, Fault> {
        let unknown = || Fault::internal(format!("unknown state {:?} of an attendance", row.state));
        Ok(Self {
            id: parsed(&row.id)?,
            schedule_id: parsed(&row.schedule_id)?,
            member_id: parsed(&row.member_id)?,
            state: State::from_word(&row.state).ok_or_else(unknown)?,
            ticket: row.ticket,
            version: row.version,
            updated_at: Timestamp::from_us(row.updated_at_us),
            order_id: row.order_id.as_deref().map(parsed).transpose()?,
            auto_pay: row.auto_pay,
            hold_expires_at: row.hold_expires_at_us.map(Timestamp::from_us),
        })
    }
}

impl TryFrom<SeatRow> for Seat {
    type Error = Fault;

    fn try_from(row: SeatRow) -> Result<Self, Fault> {
        let unknown = || Fault::internal(format!("unknown phase {:?} of a seat", row.phase));
        Ok(Self {
            order_id: parsed(&row.order_id)?,
            attendance_id: parsed(&row.attendance_id)?,
            schedule_id: parsed(&row.schedule_id)?,
            gathering_id: parsed(&row.gathering_id)?,
            member_id: parsed(&row.member_id)?,
            amount_krw: row.amount_krw,
            phase: Phase::from_word(&row.phase).ok_or_else(unknown)?,
            expires_at: Timestamp::from_us(row.expires_at_us),
            refund: row.refund,
            failure: row.failure.as_deref().and_then(Failure::from_word),
            shortfall_krw: row.shortfall_krw,
            version: row.version,
        })
    }
}

impl TryFrom<ShownRow> for Shown {
    type Error = Fault;

    fn try_from(row: ShownRow) -> Result<Self, Fault> {
        let attendance = Attendance::try_from(row.attendance)?;
        let member_id = attendance.member_id;
        Ok(Self {
            attendance,
            gathering_id: parsed(&row.gathering_id)?,
            starts_at: Timestamp::from_us(row.starts_at_us),
            card: Card { member_id, nickname: row.nickname, avatar_url: row.avatar_url },
            waitlist_position: row.waitlist_position.map(counted).transpose()?,
        })
    }
}

/// Every row as the model has it.
pub(super) fn all<R, M: TryFrom<R, Error = Fault>>(rows: Vec<R>) -> Result<Vec<M>, Fault> {
    rows.into_iter().map(M::try_from).collect()
}

/// An id that was written by this room and so must be one.
pub(super) fn parsed<T: FromStr<Err = uuid::Error>>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(Fault::internal)
}

fn counted(count: i64) -> Result<i32, Fault> {
    i32::try_from(count).map_err(Fault::internal)
}
