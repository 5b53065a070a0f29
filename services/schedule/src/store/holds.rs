//! Held seats: accepted, granted, released and taken back, each by one compare-and-set of the state.
//!
//! All of it happens under the schedule's lock, so that counts and states move together.

use moim_kit::id::{AttendanceId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Tx, args};

use super::rows::{AttendanceRow, all, attendance_columns, parsed};
use super::{Outcome, Store, counted};
use crate::attendance::{Attendance, Place, State};
use crate::fault::Reason;
use crate::model::Schedule;
use crate::order::{Ending, Failure, Seat};
use crate::seats::{self, Unpaid};

/// Gives a seat for good: what was released, or has run out, is not given.
pub(super) const GRANT: &str = concat!(
    "UPDATE attendance SET state = 'GOING', hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $3 \
     WHERE id = $1 AND order_id = $2 AND state = 'PENDING_PAYMENT' AND hold_expires_at_us > $3 \
     RETURNING ",
    attendance_columns!()
);
#[cfg(test)]
pub(super) const GRANT_UNSEEN: &str = concat!(
    "UPDATE attendance SET state = 'GOING', hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $3 \
     WHERE id = $1 AND order_id = $2 RETURNING ",
    attendance_columns!()
);
/// Releases holds that have run out: each once, however many sweepers found it.
pub(super) const RELEASE: &str = concat!(
    "UPDATE attendance SET state = 'WITHDRAWN', hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $2 \
     WHERE schedule_id = $1 AND state IN ('PENDING_PAYMENT', 'OFFERED') \
       AND hold_expires_at_us <= $2 AND id IN ({ids}) RETURNING ",
    attendance_columns!()
);
#[cfg(test)]
pub(super) const RELEASE_UNSEEN: &str = concat!(
    "UPDATE attendance SET state = 'WITHDRAWN', hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $2 \
     WHERE schedule_id = $1 AND id IN ({ids}) RETURNING ",
    attendance_columns!()
);
const LIST_DUE: &str = "
SELECT schedule_id, id FROM attendance WHERE hold_expires_at_us <= $1
ORDER BY hold_expires_at_us, id LIMIT $2";
const ACCEPT: &str = concat!(
    "UPDATE attendance SET state = 'PENDING_PAYMENT', order_id = $3, auto_pay = FALSE, \
         hold_expires_at_us = $4, version = version + 1, updated_at_us = $2 \
     WHERE id = $1 AND state = 'OFFERED' AND hold_expires_at_us > $2 RETURNING ",
    attendance_columns!()
);
const OFFER: &str = concat!(
    "UPDATE attendance SET state = 'OFFERED', auto_pay = FALSE, hold_expires_at_us = $3, \
         version = version + 1, updated_at_us = $2 \
     WHERE id = $1 AND state = 'PENDING_PAYMENT' RETURNING ",
    attendance_columns!()
);
const STOP_PAYING: &str = concat!(
    "UPDATE attendance SET auto_pay = FALSE, version = version + 1, updated_at_us = $2 \
     WHERE id = $1 RETURNING ",
    attendance_columns!()
);
const DROP_HOLDS: &str = concat!(
    "UPDATE attendance SET state = 'WITHDRAWN', hold_expires_at_us = NULL, version = version + 1, \
         updated_at_us = $2 \
     WHERE schedule_id = $1 AND state IN ('PENDING_PAYMENT', 'OFFERED') RETURNING ",
    attendance_columns!()
);
const SHORTEN_OFFERS: &str = concat!(
    "UPDATE attendance SET hold_expires_at_us = $2, version = version + 1, updated_at_us = $3 \
     WHERE schedule_id = $1 AND state = 'OFFERED' AND hold_expires_at_us > $2 RETURNING ",
    attendance_columns!()
);

/// Most holds that one look finds; the next look finds the rest.
const DUE_AT_ONCE: i64 = 500;

impl Store {
    /// Starts paying for a seat that was offered, unless the offer has run out.
    pub async fn accept(
        &self,
        tx: &mut Tx,
        own: &Attendance,
        place: Place,
        now: Timestamp,
    ) -> Result<Attendance, Fault> {
        let args = args![own.id, now, place.order_id, place.hold_expires_at];
        let row: Option<AttendanceRow> = tx.fetch_optional(ACCEPT, args).await?;
        tx.count(|catalogue| counted::seats(catalogue, "held", 1));
        row.ok_or(Reason::OfferExpired)?.try_into()
    }

    /// Gives a held seat for good, now that its price is held; nothing when it is held no more.
    pub async fn grant(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        seat: &Seat,
        now: Timestamp,
    ) -> Result<Option<Outcome>, Fault> {
        let args = args![seat.attendance_id, seat.order_id, now];
        let row: Option<AttendanceRow> = tx.fetch_optional(self.decisions.grant, args).await?;
        let Some(row) = row else { return Ok(None) };
        let granted = Attendance::try_from(row)?;
        let seat = self.grant_seat(tx, seat.order_id, now).await?;
        tx.count(|catalogue| counted::seats(catalogue, "granted", 1));
        seats::grant(&mut schedule);
        let mut outcome = self.settle(tx, schedule, now).await?.with(Vec::new(), vec![seat]);
        // Who paid by themselves learns only now that they have moved up.
        let from_line = granted.auto_pay;
        let list = if from_line { &mut outcome.promoted } else { &mut outcome.changed };
        list.insert(0, granted);
        Ok(Some(outcome))
    }

    /// Takes a seat back whose order was released; nothing when it had ended before.
    pub async fn take_back(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        seat: &Seat,
        (failure, shortfall_krw): (Failure, i64),
        now: Timestamp,
    ) -> Result<Option<Outcome>, Fault> {
        let ending = Ending::Failed { failure, shortfall_krw };
        let ended = self.end_seats(tx, vec![seat.order_id], ending, now).await?;
        if ended.is_empty() {
            return Ok(None);
        }
        let own = self.find_own(tx, schedule.id, seat.member_id).await?;
        let own = own.filter(|own| own.order_id == Some(seat.order_id));
        let own = own.ok_or_else(|| Fault::internal("a live seat is of another attendance"))?;
        let unpaid = seats::unpaid(&mut schedule, &own, failure, now);
        let (mut changed, mut offered) = (Vec::new(), None);
        match unpaid {
            Unpaid::Withdraw => {
                changed.push(self.set_state(tx, own.id, State::Withdrawn, now).await?);
            }
            Unpaid::Offer => {
                let until = self.terms.offered_until(&schedule, now);
                offered = Some(self.rewritten(tx, OFFER, args![own.id, now, until]).await?);
            }
            Unpaid::Wait => {
                changed.push(self.rewritten(tx, STOP_PAYING, args![own.id, now]).await?);
            }
            Unpaid::Keep => {}
        }
        let mut outcome = self.settle(tx, schedule, now).await?.with(changed, ended);
        outcome.promoted.splice(0..0, offered);
        Ok(Some(outcome))
    }

    /// Attendances whose holds have run out, by schedule, longest ago first.
    pub async fn list_due(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(ScheduleId, Vec<AttendanceId>)>, Fault> {
        let db = self.outbox.db();
        let rows: Vec<(String, String)> = db.fetch_all(LIST_DUE, args![now, DUE_AT_ONCE]).await?;
        let mut due: Vec<(ScheduleId, Vec<AttendanceId>)> = Vec::new();
        for (schedule, id) in rows {
            let (schedule, id) = (parsed(&schedule)?, parsed(&id)?);
            match due.iter_mut().find(|(of, _)| *of == schedule) {
                Some((_, ids)) => ids.push(id),
                None => due.push((schedule, vec![id])),
            }
        }
        Ok(due)
    }

    /// Releases those of some holds that have run out and passes the seats on; nothing when another was
    /// quicker.
    pub async fn release(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        ids: Vec<AttendanceId>,
        now: Timestamp,
    ) -> Result<Option<Outcome>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        let args = args![schedule.id, now];
        let rows = tx.fetch_in::<AttendanceRow>(self.decisions.release, args, list).await?;
        let released: Vec<Attendance> = all(rows)?;
        if released.is_empty() {
            return Ok(None);
        }
        let many = many(&released)?;
        schedule.held_count -= many;
        tx.count(move |catalogue| counted::seats(catalogue, "expired", many));
        let orders = released.iter().filter_map(|of| of.order_id).collect();
        let ending = Ending::Failed { failure: Failure::Expired, shortfall_krw: 0 };
        let seats = self.end_seats(tx, orders, ending, now).await?;
        Ok(Some(self.settle(tx, schedule, now).await?.with(released, seats)))
    }

    /// Writes a locked schedule that was called off: nothing is held any more, everybody is refunded.
    pub async fn call_off(
        &self,
        tx: &mut Tx,
        mut schedule: Schedule,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let rows = tx.fetch_all::<AttendanceRow>(DROP_HOLDS, args![schedule.id, now]).await?;
        let dropped: Vec<Attendance> = all(rows)?;
        schedule.held_count -= many(&dropped)?;
        let ending = Ending::GivenUp { refund: true };
        let seats = self.end_all_seats(tx, schedule.id, ending, now).await?;
        Ok(self.settle(tx, schedule, now).await?.with(dropped, seats))
    }

    /// Writes a locked schedule that was changed; what lasts until the start follows the start.
    pub async fn rewrite(
        &self,
        tx: &mut Tx,
        old: &Schedule,
        new: Schedule,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let (mut changed, mut seats) = (Vec::new(), Vec::new());
        if new.starts_at != old.starts_at {
            let args = args![new.id, new.starts_at, now];
            changed = all(tx.fetch_all::<AttendanceRow>(SHORTEN_OFFERS, args).await?)?;
            seats = self.move_start_of_seats(tx, new.id, new.starts_at, now).await?;
        }
        Ok(self.settle(tx, new, now).await?.with(changed, seats))
    }

    async fn rewritten(&self, tx: &mut Tx, sql: &str, args: Vec<Arg>) -> Result<Attendance, Fault> {
        let row: Option<AttendanceRow> = tx.fetch_optional(sql, args).await?;
        row.ok_or(Reason::AttendanceNotFound)?.try_into()
    }
}

fn many(of: &[Attendance]) -> Result<i32, Fault> {
    i32::try_from(of.len()).map_err(Fault::internal)
}
