//! Paid seats: this room's side of orders, one row each; every move of one is told with the next version.

use moim_kit::id::{OrderId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Tx, args};

use super::Store;
use super::rows::{SeatRow, all, seat_columns};
use crate::order::{Ending, Failure, Seat};

const INSERT: &str = concat!(
    "INSERT INTO seat (",
    seat_columns!(),
    ", updated_at_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);
const FIND: &str = concat!("SELECT ", seat_columns!(), " FROM seat WHERE order_id = $1");
const HOLD: &str = concat!(
    "UPDATE seat SET phase = 'HELD', expires_at_us = $1, version = version + 1, updated_at_us = $2 \
     WHERE phase = 'WAITING' AND order_id IN ({ids}) RETURNING ",
    seat_columns!()
);
/// Decides together with the grant of the attendance; a seat that was lost stays lost.
pub(super) const GRANT: &str = concat!(
    "UPDATE seat SET phase = 'GRANTED', version = version + 1, updated_at_us = $2 \
     WHERE order_id = $1 AND phase = 'HELD' RETURNING ",
    seat_columns!()
);
#[cfg(test)]
pub(super) const GRANT_UNSEEN: &str = concat!(
    "UPDATE seat SET phase = 'GRANTED', version = version + 1, updated_at_us = $2 \
     WHERE order_id = $1 RETURNING ",
    seat_columns!()
);

/// Ends live seats; only one that was granted can be returned.
macro_rules! end {
    ($which:literal) => {
        concat!(
            "UPDATE seat SET \
             phase = CASE WHEN phase = 'GRANTED' AND $1 THEN 'RETURNED' ELSE 'LOST' END, \
             refund = (phase = 'GRANTED' AND $1 AND $2), \
             failure = CASE WHEN phase = 'GRANTED' AND $1 THEN NULL ELSE CAST($3 AS TEXT) END, \
             shortfall_krw = $4, version = version + 1, updated_at_us = $5 \
             WHERE phase IN ('WAITING', 'HELD', 'GRANTED') AND ",
            $which,
            " RETURNING ",
            seat_columns!()
        )
    };
}

const END: &str = end!("order_id IN ({ids})");
const END_ALL: &str = end!("schedule_id = $6");
const MOVE_START: &str = concat!(
    "UPDATE seat SET expires_at_us = $2, version = version + 1, updated_at_us = $3 \
     WHERE schedule_id = $1 AND phase = 'WAITING' RETURNING ",
    seat_columns!()
);
const FIND_AGREED: &str = "
SELECT id FROM attendance WHERE schedule_id = $1 AND state = 'OFFERED'
UNION ALL
SELECT order_id FROM seat WHERE schedule_id = $1 AND phase IN ('WAITING', 'HELD', 'GRANTED')
LIMIT 1";

impl Store {
    pub async fn insert_seat(&self, tx: &mut Tx, seat: &Seat, now: Timestamp) -> Result<(), Fault> {
        let args = args![
            seat.order_id,
            seat.attendance_id,
            seat.schedule_id,
            seat.gathering_id,
            seat.member_id,
            seat.amount_krw,
            seat.phase.word(),
            seat.expires_at,
            seat.refund,
            seat.failure.map(Failure::word),
            seat.shortfall_krw,
            seat.version,
            now,
        ];
        tx.execute(INSERT, args).await?;
        Ok(())
    }

    /// The seat of an order as this transaction sees it.
    pub async fn find_seat(&self, tx: &mut Tx, order: OrderId) -> Result<Option<Seat>, Fault> {
        let row: Option<SeatRow> = tx.fetch_optional(FIND, args![order]).await?;
        row.map(Seat::try_from).transpose()
    }

    /// The seat of an order as it is now.
    pub async fn look_at_seat(&self, order: OrderId) -> Result<Option<Seat>, Fault> {
        let row: Option<SeatRow> = self.outbox.db().fetch_optional(FIND, args![order]).await?;
        row.map(Seat::try_from).transpose()
    }

    /// True when somebody agreed to what the schedule costs, or is asked whether they do.
    pub async fn is_agreed(&self, tx: &mut Tx, schedule: ScheduleId) -> Result<bool, Fault> {
        Ok(tx.fetch_optional::<(String,)>(FIND_AGREED, args![schedule]).await?.is_some())
    }

    /// Holds seats that waited in line.
    pub(super) async fn hold_seats(
        &self,
        tx: &mut Tx,
        orders: Vec<OrderId>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Seat>, Fault> {
        let list = orders.into_iter().map(Arg::from).collect();
        all(tx.fetch_in::<SeatRow>(HOLD, args![until, now], list).await?)
    }

    /// Gives a held seat for good.
    pub(super) async fn grant_seat(
        &self,
        tx: &mut Tx,
        order: OrderId,
        now: Timestamp,
    ) -> Result<Seat, Fault> {
        let row: Option<SeatRow> =
            tx.fetch_optional(self.decisions.grant_seat, args![order, now]).await?;
        row.ok_or_else(|| Fault::internal("a seat that is being paid is not held"))?.try_into()
    }

    /// Ends those seats of these orders that still may cost money.
    pub(super) async fn end_seats(
        &self,
        tx: &mut Tx,
        orders: Vec<OrderId>,
        ending: Ending,
        now: Timestamp,
    ) -> Result<Vec<Seat>, Fault> {
        let list = orders.into_iter().map(Arg::from).collect();
        all(tx.fetch_in::<SeatRow>(END, ended(ending, now), list).await?)
    }

    /// Ends all seats of a schedule that still may cost money.
    pub(super) async fn end_all_seats(
        &self,
        tx: &mut Tx,
        schedule: ScheduleId,
        ending: Ending,
        now: Timestamp,
    ) -> Result<Vec<Seat>, Fault> {
        let mut args = ended(ending, now);
        args.push(schedule.into());
        all(tx.fetch_all::<SeatRow>(END_ALL, args).await?)
    }

    /// Seats in line wait until the start, whenever that is.
    pub(super) async fn move_start_of_seats(
        &self,
        tx: &mut Tx,
        schedule: ScheduleId,
        starts_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Seat>, Fault> {
        all(tx.fetch_all::<SeatRow>(MOVE_START, args![schedule, starts_at, now]).await?)
    }
}

fn ended(ending: Ending, now: Timestamp) -> Vec<Arg> {
    match ending {
        Ending::GivenUp { refund } => args![true, refund, Failure::SeatLost.word(), 0, now],
        Ending::Failed { failure, shortfall_krw } => {
            args![false, false, failure.word(), shortfall_krw, now]
        }
    }
}
