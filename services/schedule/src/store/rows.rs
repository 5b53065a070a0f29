//! Rows as the database gives them, and the model they stand for.

use std::str::FromStr;

use moim_kit::{Fault, Timestamp};

use crate::model::{Attendance, Card, Schedule, Shown, State};

/// Columns of [`ScheduleRow`].
macro_rules! schedule_columns {
    () => {
        "id, gathering_id, title, description, place, starts_at_us, ends_at_us, time_zone, \
         capacity, going_count, waitlist_count, next_ticket, closed, cancelled_at_us, \
         cancel_reason, sequence, version, created_at_us"
    };
}
pub(super) use schedule_columns;

/// Columns of [`AttendanceRow`].
macro_rules! attendance_columns {
    () => {
        "id, schedule_id, member_id, state, ticket, version, updated_at_us"
    };
}
pub(super) use attendance_columns;

/// Columns of [`ShownRow`] and the tables they come from: `a` attendance, `s` schedule, `c` card.
macro_rules! shown_columns {
    () => {
        "a.id, a.schedule_id, a.member_id, a.state, a.ticket, a.version, a.updated_at_us, \
         c.nickname, c.avatar_url, s.gathering_id, s.starts_at_us, \
         CASE WHEN a.state = 'WAITLISTED' THEN ( \
             SELECT COUNT(*) FROM attendance AS ahead \
             WHERE ahead.schedule_id = a.schedule_id AND ahead.state = 'WAITLISTED' \
               AND ahead.ticket <= a.ticket) END AS waitlist_position"
    };
}
pub(super) use shown_columns;

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
            waitlist_count: counted(row.waitlist_count)?,
            next_ticket: row.next_ticket,
            closed: row.closed,
            cancelled_at: row.cancelled_at_us.map(Timestamp::from_us),
            cancel_reason: row.cancel_reason,
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
