//! Places at schedules: taken by one conditional write, given up and passed on under one lock.
//!
//! Locks are taken in one order everywhere: card, membership, schedules by id, attendances.

use moim_kit::id::{AttendanceId, GatheringId, MemberId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args, violates};

use super::Store;
use super::rows::{AttendanceRow, ScheduleRow, all, attendance_columns, parsed, schedule_columns};
use crate::fault::Reason;
use crate::model::{Attendance, Schedule, State};
use crate::seats;

/// What has to hold of a schedule for anyone to sign up.
macro_rules! open {
    () => {
        "NOT closed AND cancelled_at_us IS NULL AND starts_at_us > $2"
    };
}

/// Decides about a seat: of all that come at once, as many succeed as there are seats.
pub(super) const TAKE_SEAT: &str = concat!(
    "UPDATE schedule SET going_count = going_count + 1, next_ticket = next_ticket + 1, \
     version = version + 1 \
     WHERE id = $1 AND going_count < capacity AND waitlist_count = 0 AND ",
    open!(),
    " RETURNING ",
    schedule_columns!()
);
#[cfg(test)]
pub(super) const TAKE_SEAT_UNCOUNTED: &str = concat!(
    "UPDATE schedule SET going_count = going_count + 1, next_ticket = next_ticket + 1, \
     version = version + 1 \
     WHERE id = $1 AND waitlist_count = 0 AND ",
    open!(),
    " RETURNING ",
    schedule_columns!()
);
const JOIN_LINE: &str = concat!(
    "UPDATE schedule SET waitlist_count = waitlist_count + 1, next_ticket = next_ticket + 1, \
     version = version + 1 \
     WHERE id = $1 AND (going_count >= capacity OR waitlist_count > 0) AND ",
    open!(),
    " RETURNING ",
    schedule_columns!()
);
const ARRIVE: &str = concat!(
    "INSERT INTO attendance (",
    attendance_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, 1, $6) \
     ON CONFLICT (schedule_id, member_id) DO UPDATE \
     SET state = excluded.state, ticket = excluded.ticket, version = attendance.version + 1, \
         updated_at_us = excluded.updated_at_us \
     WHERE attendance.state = 'WITHDRAWN' RETURNING ",
    attendance_columns!()
);
const FIND_OWN: &str = concat!(
    "SELECT ",
    attendance_columns!(),
    " FROM attendance WHERE schedule_id = $1 AND member_id = $2"
);
const SET_STATE: &str = concat!(
    "UPDATE attendance SET state = $2, version = version + 1, updated_at_us = $3 \
     WHERE id = $1 RETURNING ",
    attendance_columns!()
);
const PROMOTE: &str = concat!(
    "UPDATE attendance SET state = 'GOING', version = version + 1, updated_at_us = $3 \
     WHERE id IN (SELECT id FROM attendance WHERE schedule_id = $1 AND state = 'WAITLISTED' \
                  ORDER BY ticket, id LIMIT $2) \
     RETURNING ",
    attendance_columns!()
);
const FIND_OVERLAP: &str = "
SELECT other.id FROM attendance AS a JOIN schedule AS other ON other.id = a.schedule_id
WHERE a.member_id = $1 AND a.state = 'GOING' AND a.schedule_id <> $2
  AND other.cancelled_at_us IS NULL AND other.starts_at_us < $4 AND other.ends_at_us > $3
ORDER BY other.starts_at_us, other.id LIMIT 1";
const LIST_PLACES: &str = "
SELECT a.schedule_id FROM attendance AS a JOIN schedule AS s ON s.id = a.schedule_id
WHERE a.member_id = $1 AND s.gathering_id = $2 AND s.cancelled_at_us IS NULL
  AND ((a.state = 'GOING' AND s.starts_at_us > $3) OR (a.state = 'WAITLISTED' AND s.ends_at_us > $3))
ORDER BY a.schedule_id";

const LIST_HOLDERS: &str = "
SELECT member_id FROM attendance
WHERE schedule_id = $1 AND state IN ('GOING', 'WAITLISTED') ORDER BY member_id";

/// How often a place is tried for while the last seat comes and goes.
const TRIES: u32 = 10;

/// What a transaction made of a schedule and of the places at it.
#[derive(Debug)]
pub struct Outcome {
    pub schedule: Schedule,
    /// The attendance it was about, when there was one.
    pub changed: Option<Attendance>,
    /// Who moved up from the line, first come first.
    pub promoted: Vec<Attendance>,
}

/// Rule by which a place is taken out of a schedule's counts.
pub type Release = fn(&mut Schedule, Option<State>, Timestamp) -> Result<(), Reason>;

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
            let row: Option<ScheduleRow> = tx
                .fetch_optional(self.take_seat, args![id, now])
                .await
                .map_err(violates("schedule_full", "schedule_full", Reason::ScheduleFull))?;
            if let Some(row) = row {
                return Ok((row.try_into()?, State::Going));
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
        state: State,
        now: Timestamp,
    ) -> Result<Attendance, Fault> {
        let ticket = schedule.next_ticket - 1;
        let args = args![AttendanceId::fresh(), schedule.id, member, state.word(), ticket, now];
        let row: Option<AttendanceRow> = tx.fetch_optional(ARRIVE, args).await?;
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

    /// Another schedule that the member goes to at the same time.
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

    /// Takes a member's place back by a rule and passes a freed seat on.
    pub async fn give_up(
        &self,
        tx: &mut Tx,
        id: ScheduleId,
        member: MemberId,
        release: Release,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let mut schedule = self.lock_schedule(tx, id).await?;
        let own = self.find_own(tx, id, member).await?;
        release(&mut schedule, own.as_ref().map(|own| own.state), now)?;
        let own = own.ok_or(Reason::NotAttending)?;
        let changed = self.set_state(tx, own.id, State::Withdrawn, now).await?;
        let outcome = self.settle(tx, schedule, now).await?;
        Ok(Outcome { changed: Some(changed), ..outcome })
    }

    /// Writes a locked schedule as its next version and moves the line up into its free seats: the
    /// only way anybody is promoted.
    pub async fn settle(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let moved = seats::promote(&mut schedule);
        let schedule = self.update_schedule(tx, schedule).await?;
        let mut promoted: Vec<Attendance> = Vec::new();
        if moved > 0 {
            let args = args![schedule.id, moved, now];
            promoted = all(tx.fetch_all::<AttendanceRow>(PROMOTE, args).await?)?;
            promoted.sort_by_key(|attendance| attendance.ticket);
        }
        if i32::try_from(promoted.len()) != Ok(moved) {
            return Err(Fault::internal("the line and its count differ"));
        }
        Ok(Outcome { schedule, changed: None, promoted })
    }

    /// Writes the state of an attendance whose schedule is locked.
    pub async fn set_state(
        &self,
        tx: &mut Tx,
        id: AttendanceId,
        state: State,
        now: Timestamp,
    ) -> Result<Attendance, Fault> {
        let args = args![id, state.word(), now];
        let row: Option<AttendanceRow> = tx.fetch_optional(SET_STATE, args).await?;
        row.ok_or(Reason::AttendanceNotFound)?.try_into()
    }
}
