//! Places at schedules: taken by one conditional write, which decides who gets a seat.
//!
//! Locks are taken in one order everywhere: card, membership, schedules by id, attendances.

use moim_kit::id::{AttendanceId, GatheringId, MemberId, ScheduleId};
use moim_kit::{Fault, Timestamp, metrics};
use moim_storage::{Error, Tx, args};

use super::rows::{AttendanceRow, ScheduleRow, attendance_columns, parsed, schedule_columns};
use super::{Store, counted};
use crate::attendance::{Attendance, Place, State};
use crate::fault::Reason;
use crate::model::Schedule;
use crate::seats;

/// What has to hold of a schedule for anyone to sign up.
macro_rules! open {
    () => {
        "NOT closed AND cancelled_at_us IS NULL AND starts_at_us > $2"
    };
}

/// Counts one more seat: taken when it is free, held when it is to be paid.
macro_rules! count_seat {
    () => {
        "UPDATE schedule SET \
         going_count = going_count + CASE WHEN fee_krw = 0 THEN 1 ELSE 0 END, \
         held_count = held_count + CASE WHEN fee_krw = 0 THEN 0 ELSE 1 END, \
         next_ticket = next_ticket + 1, version = version + 1 WHERE id = $1 AND waitlist_count = 0 AND "
    };
}

/// Decides about a seat: of all that come at once, as many succeed as there are seats.
pub(super) const TAKE_SEAT: &str = concat!(
    count_seat!(),
    "going_count + held_count < capacity AND ",
    open!(),
    " RETURNING ",
    schedule_columns!()
);
#[cfg(test)]
pub(super) const TAKE_SEAT_UNCOUNTED: &str =
    concat!(count_seat!(), open!(), " RETURNING ", schedule_columns!());
const JOIN_LINE: &str = concat!(
    "UPDATE schedule SET waitlist_count = waitlist_count + 1, next_ticket = next_ticket + 1, \
     version = version + 1 \
     WHERE id = $1 AND (going_count + held_count >= capacity OR waitlist_count > 0) AND ",
    open!(),
    " RETURNING ",
    schedule_columns!()
);
const ARRIVE: &str = concat!(
    "INSERT INTO attendance (",
    attendance_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9) \
     ON CONFLICT (schedule_id, member_id) DO UPDATE \
     SET state = excluded.state, ticket = excluded.ticket, version = attendance.version + 1, \
         updated_at_us = excluded.updated_at_us, order_id = excluded.order_id, \
         auto_pay = excluded.auto_pay, hold_expires_at_us = excluded.hold_expires_at_us \
     WHERE attendance.state = 'WITHDRAWN' RETURNING ",
    attendance_columns!()
);
const FIND_OWN: &str = concat!(
    "SELECT ",
    attendance_columns!(),
    " FROM attendance WHERE schedule_id = $1 AND member_id = $2"
);
const FIND_OVERLAP: &str = "
SELECT other.id FROM attendance AS a JOIN schedule AS other ON other.id = a.schedule_id
WHERE a.member_id = $1 AND a.state IN ('GOING', 'PENDING_PAYMENT', 'OFFERED') AND a.schedule_id <> $2
  AND other.cancelled_at_us IS NULL AND other.starts_at_us < $4 AND other.ends_at_us > $3
ORDER BY other.starts_at_us, other.id LIMIT 1";
const LIST_PLACES: &str = "
SELECT a.schedule_id FROM attendance AS a JOIN schedule AS s ON s.id = a.schedule_id
WHERE a.member_id = $1 AND s.gathering_id = $2 AND s.cancelled_at_us IS NULL
  AND ((a.state = 'GOING' AND s.starts_at_us > $3)
    OR (a.state IN ('WAITLISTED', 'PENDING_PAYMENT', 'OFFERED') AND s.ends_at_us > $3))
ORDER BY a.schedule_id";

const LIST_HOLDERS: &str = "
SELECT member_id FROM attendance
WHERE schedule_id = $1 AND state IN ('GOING', 'WAITLISTED', 'PENDING_PAYMENT', 'OFFERED')
ORDER BY member_id";

/// How often a place is tried for while the last seat comes and goes.
const TRIES: u32 = 10;

impl Store {
    /// Counts one more seat, or one more in line; answers the schedule with that counted.
    pub async fn take_place(
        &self,
        tx: &mut Tx,
        id: ScheduleId,
        join_waitlist: bool,
        now: Timestamp,
    ) -> Result<(Schedule, State), Fault> {
        for _ in 0..TRIES {
            // The constraint is the second wall: it stands should the condition ever be lost.
            let taken = tx.fetch_optional(self.decisions.take_seat, args![id, now]).await;
            let row: Option<ScheduleRow> = taken.map_err(full)?;
            if let Some(row) = row {
                let schedule = Schedule::try_from(row)?;
                let is_free = schedule.fee_krw == 0;
                return Ok((schedule, if is_free { State::Going } else { State::PendingPayment }));
            }
            if join_waitlist {
                let row: Option<ScheduleRow> = tx.fetch_optional(JOIN_LINE, args![id, now]).await?;
                if let Some(row) = row {
                    return Ok((row.try_into()?, State::Waitlisted));
                }
            }
            let schedule = self.find_schedule(tx, id).await?;
            seats::require_open(&schedule, now)?;
            if !join_waitlist && !seats::has_free_seat(&schedule) {
                if let Some(catalogue) = metrics::catalogue() {
                    counted::seats(catalogue, "sold_out", 1);
                }
                return Err(Reason::ScheduleFull.into());
            }
        }
        Err(Reason::SeatContended.into())
    }

    /// Puts a member into the place just counted, with the ticket just given out.
    pub async fn arrive(
        &self,
        tx: &mut Tx,
        schedule: &Schedule,
        member: MemberId,
        place: Place,
        now: Timestamp,
    ) -> Result<Attendance, Fault> {
        let args = args![
            AttendanceId::fresh(),
            schedule.id,
            member,
            place.state.word(),
            schedule.next_ticket - 1,
            now,
            place.order_id,
            place.auto_pay,
            place.hold_expires_at,
        ];
        let row: Option<AttendanceRow> = tx.fetch_optional(ARRIVE, args).await?;
        let moved = match place.state {
            State::Going => "claimed",
            State::Waitlisted => "waitlisted",
            _ => "held",
        };
        tx.count(move |catalogue| counted::seats(catalogue, moved, 1));
        row.ok_or(Reason::AlreadyAttending)?.try_into()
    }

    /// A member's attendance at a schedule, in any state.
    pub async fn find_own(
        &self,
        tx: &mut Tx,
        schedule: ScheduleId,
        member: MemberId,
    ) -> Result<Option<Attendance>, Fault> {
        let row: Option<AttendanceRow> =
            tx.fetch_optional(FIND_OWN, args![schedule, member]).await?;
        row.map(Attendance::try_from).transpose()
    }

    /// Another schedule that the member goes to, or has a seat held at, at the same time.
    pub async fn find_overlap(
        &self,
        tx: &mut Tx,
        schedule: &Schedule,
        member: MemberId,
    ) -> Result<Option<ScheduleId>, Fault> {
        let args = args![member, schedule.id, schedule.starts_at, schedule.ends_at];
        let row = tx.fetch_optional::<(String,)>(FIND_OVERLAP, args).await?;
        row.map(|(id,)| parsed(&id)).transpose()
    }

    /// Schedules of a gathering where a member has a place that ends with the membership, by id.
    pub async fn list_places(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
        member: MemberId,
        now: Timestamp,
    ) -> Result<Vec<ScheduleId>, Fault> {
        let rows: Vec<(String,)> = tx.fetch_all(LIST_PLACES, args![member, gathering, now]).await?;
        rows.into_iter().map(|(id,)| parsed(&id)).collect()
    }

    /// Everybody who goes to a schedule or waits for a seat.
    pub async fn list_holders(
        &self,
        tx: &mut Tx,
        schedule: ScheduleId,
    ) -> Result<Vec<MemberId>, Fault> {
        let rows: Vec<(String,)> = tx.fetch_all(LIST_HOLDERS, args![schedule]).await?;
        rows.into_iter().map(|(id,)| parsed(&id)).collect()
    }
}

fn full(error: Error) -> Fault {
    if ["schedule_full", "schedule_held"].iter().any(|check| error.violates(check, check)) {
        Reason::ScheduleFull.into()
    } else {
        error.into()
    }
}
