//! Places given up, and the line moving up into what comes free, under the schedule's lock.

use moim_kit::id::{AttendanceId, MemberId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args};

use super::rows::{AttendanceRow, all, attendance_columns};
use super::{Store, counted};
use crate::attendance::{Attendance, State};
use crate::fault::Reason;
use crate::fee::Refund;
use crate::model::Schedule;
use crate::order::{Ending, Seat};
use crate::seats;

const SET_STATE: &str = concat!(
    "UPDATE attendance SET state = $2, hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $3 \
     WHERE id = $1 RETURNING ",
    attendance_columns!()
);
const PROMOTE: &str = concat!(
    "UPDATE attendance SET version = version + 1, updated_at_us = $3, \
         state = CASE WHEN NOT $4 THEN 'GOING' WHEN auto_pay THEN 'PENDING_PAYMENT' ELSE 'OFFERED' END, \
         hold_expires_at_us = CASE WHEN NOT $4 THEN NULL \
             WHEN auto_pay THEN CAST($5 AS BIGINT) ELSE CAST($6 AS BIGINT) END \
     WHERE id IN (SELECT id FROM attendance WHERE schedule_id = $1 AND state = 'WAITLISTED' \
                  ORDER BY ticket, id LIMIT $2) \
     RETURNING ",
    attendance_columns!()
);

/// What a transaction made of a schedule and of the places at it.
#[derive(Debug)]
pub struct Outcome {
    pub schedule: Schedule,
    /// The attendances it was about.
    pub changed: Vec<Attendance>,
    /// Who moved up from the line, first come first: to a seat, or to one that is held for them.
    pub promoted: Vec<Attendance>,
    /// Paid seats that came further.
    pub seats: Vec<Seat>,
}

impl Outcome {
    pub(super) fn with(mut self, changed: Vec<Attendance>, seats: Vec<Seat>) -> Self {
        self.changed = changed;
        self.seats.splice(0..0, seats);
        self
    }
}

/// Rule by which a place is taken out of a schedule's counts.
pub type Release = fn(&mut Schedule, Option<State>, Timestamp) -> Result<(), Reason>;

impl Store {
    /// Takes a member's place back by a rule and passes a freed seat on.
    pub async fn give_up(
        &self,
        tx: &mut Tx,
        id: ScheduleId,
        member: MemberId,
        (release, refund): (Release, Refund),
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let mut schedule = self.lock_schedule(tx, id).await?;
        let own = self.find_own(tx, id, member).await?;
        release(&mut schedule, own.as_ref().map(|own| own.state), now)?;
        let own = own.ok_or(Reason::NotAttending)?;
        let changed = self.set_state(tx, own.id, State::Withdrawn, now).await?;
        tx.count(|catalogue| counted::seats(catalogue, "given_up", 1));
        let ending = Ending::GivenUp { refund: refund.is_due(&schedule, now) };
        let orders = own.order_id.into_iter().collect();
        let seats = self.end_seats(tx, orders, ending, now).await?;
        Ok(self.settle(tx, schedule, now).await?.with(vec![changed], seats))
    }

    /// Writes a locked schedule as its next version and moves the line up into its free seats: the
    /// only way anybody is promoted.
    pub async fn settle(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let moved = seats::promote(&mut schedule, now);
        let schedule = self.update_schedule(tx, schedule).await?;
        let mut promoted: Vec<Attendance> = Vec::new();
        let mut seats = Vec::new();
        if moved > 0 {
            tx.count(move |catalogue| counted::seats(catalogue, "promoted", moved));
            let held_until = self.terms.held_until(now);
            let offered_until = self.terms.offered_until(&schedule, now);
            let is_paid = schedule.fee_krw > 0;
            let args = args![schedule.id, moved, now, is_paid, held_until, offered_until];
            promoted = all(tx.fetch_all::<AttendanceRow>(PROMOTE, args).await?)?;
            promoted.sort_by_key(|attendance| attendance.ticket);
            let paying = promoted.iter().filter(|of| of.state == State::PendingPayment);
            let orders: Vec<_> = paying.filter_map(|of| of.order_id).collect();
            let expected = orders.len();
            seats = self.hold_seats(tx, orders, held_until, now).await?;
            if seats.len() != expected {
                return Err(Fault::internal("a seat in line is not waiting"));
            }
        }
        if i32::try_from(promoted.len()) != Ok(moved) {
            return Err(Fault::internal("the line and its count differ"));
        }
        Ok(Outcome { schedule, changed: Vec::new(), promoted, seats })
    }

    /// Writes the state of an attendance whose schedule is locked, and that no seat is held for it.
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
