//! Orders: what is heard of seats, and moves of states, each made by whoever finds the order as it was read.

use moim_kit::id::{MemberId, OrderId};
use moim_kit::metrics::KeyValue;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Tx, View, args};

use super::Store;
use super::rows::{OrderRow, all, order_columns};
use crate::model::{Failure, Order, OrderState, Seat, Terms};

const INSERT: &str = concat!(
    "INSERT INTO seat_order (",
    order_columns!(),
    ", due_at_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, 1, 1, 0, $13, $13, $14) \
     RETURNING ",
    order_columns!()
);
const HEAR: &str = concat!(
    "UPDATE seat_order SET phase = $2, refund = $3, expires_at_us = $4, trace = $5, due_at_us = 0, \
     tries = 0, revision = revision + 1 WHERE id = $1 RETURNING ",
    order_columns!()
);
const LIST_DUE: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM seat_order WHERE due_at_us <= $1 ORDER BY due_at_us, id LIMIT $2"
);
const LIST_OWN: &str =
    concat!("SELECT ", order_columns!(), " FROM seat_order WHERE member_id = $1 AND id IN ({ids})");
/// Of all who read the order as it was, one gets it; it is locked until the transaction ends.
pub(super) const CLAIM: &str =
    "UPDATE seat_order SET revision = revision + 1 WHERE id = $1 AND revision = $2";
#[cfg(test)]
pub(super) const CLAIM_CARELESS: &str =
    "UPDATE seat_order SET revision = revision + 1 WHERE id = $1 AND $2 >= 0";
pub(super) const MOVE: &str = concat!(
    "UPDATE seat_order SET state = $3, failure = $4, shortfall_krw = $5, due_at_us = $6, \
     updated_at_us = $7, tries = 0, version = version + 1 WHERE id = $1 AND state = $2 RETURNING ",
    order_columns!()
);
#[cfg(test)]
pub(super) const MOVE_CARELESS: &str = concat!(
    "UPDATE seat_order SET state = $3, failure = $4, shortfall_krw = $5, due_at_us = $6, \
     updated_at_us = $7, tries = 0, version = version + 1 WHERE id = $1 AND $2 <> '' RETURNING ",
    order_columns!()
);
const REST: &str = "UPDATE seat_order SET due_at_us = $2, tries = 0 WHERE id = $1";
const PUT_OFF: &str = "
UPDATE seat_order SET due_at_us = $3, tries = tries + 1, revision = revision + 1
WHERE id = $1 AND revision = $2";

/// Where an order goes.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub to: OrderState,
    pub failure: Option<Failure>,
    pub shortfall_krw: i64,
    /// When it is looked at next.
    pub due: Option<Timestamp>,
}

impl Store {
    /// Writes an order that was never heard of.
    pub async fn insert_order(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        seat: Seat,
        change: Change,
        trace: &str,
        now: Timestamp,
    ) -> Result<Order, Fault> {
        let args = args![
            terms.id,
            terms.attendance,
            terms.schedule,
            &terms.schedule_title,
            terms.member,
            terms.amount_krw,
            seat.phase.word(),
            seat.refund,
            seat.expires_at,
            change.to.word(),
            change.failure.map(Failure::word),
            trace,
            now,
            change.due,
        ];
        let row: Option<OrderRow> = tx.fetch_optional(INSERT, args).await?;
        count_end(tx, change.to);
        row.ok_or_else(|| Fault::internal("an order was not written"))?.try_into()
    }

    /// Writes down how a seat stands and locks its order; `None` when there is no such order yet.
    pub async fn note_seat(
        &self,
        tx: &mut Tx,
        id: OrderId,
        seat: Seat,
        trace: &str,
    ) -> Result<Option<Order>, Fault> {
        let args = args![id, seat.phase.word(), seat.refund, seat.expires_at, trace];
        let row: Option<OrderRow> = tx.fetch_optional(HEAR, args).await?;
        row.map(Order::try_from).transpose()
    }

    /// Orders with something to do, longest due first.
    pub async fn list_due_orders(&self, now: Timestamp, limit: i64) -> Result<Vec<Order>, Fault> {
        all(self.outbox.db().fetch_all::<OrderRow>(LIST_DUE, args![now, limit]).await?)
    }

    /// A member's own orders by id, those that exist.
    pub async fn list_own_orders(
        &self,
        view: &View,
        member: MemberId,
        ids: Vec<OrderId>,
    ) -> Result<Vec<Order>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in::<OrderRow>(LIST_OWN, args![member], list).await?)
    }

    /// Locks an order if it still is as it was read; false when somebody was there in between.
    pub async fn claim_order(&self, tx: &mut Tx, read: &Order) -> Result<bool, Fault> {
        let args = args![read.terms.id, read.revision];
        Ok(tx.execute(self.guards.claim_order, args).await? == 1)
    }

    /// Moves an order from the state it was read in.
    pub async fn move_order(
        &self,
        tx: &mut Tx,
        read: &Order,
        change: Change,
        now: Timestamp,
    ) -> Result<Order, Fault> {
        let args = args![
            read.terms.id,
            read.state.word(),
            change.to.word(),
            change.failure.map(Failure::word),
            change.shortfall_krw,
            change.due,
            now,
        ];
        let row: Option<OrderRow> = tx.fetch_optional(self.guards.move_order, args).await?;
        count_end(tx, change.to);
        row.ok_or_else(|| Fault::internal("an order moved while it was claimed"))?.try_into()
    }

    /// Leaves a claimed order as it is until an instant, or until something is heard.
    pub async fn rest_order(
        &self,
        tx: &mut Tx,
        id: OrderId,
        due: Option<Timestamp>,
    ) -> Result<(), Fault> {
        tx.execute(REST, args![id, due]).await?;
        Ok(())
    }

    /// Takes note that an order could not be helped; it is tried again then.
    pub async fn put_off(&self, read: &Order, until: Timestamp) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        tx.execute(PUT_OFF, args![read.terms.id, read.revision, until]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Counts an order that has come to an end; a confirmed one may still be refunded.
fn count_end(tx: &mut Tx, to: OrderState) {
    if matches!(to, OrderState::Confirmed | OrderState::Released | OrderState::Refunded) {
        let state = KeyValue::new("state", to.word());
        tx.count(move |catalogue| catalogue.orders_ended.add(1, &[state]));
    }
}
