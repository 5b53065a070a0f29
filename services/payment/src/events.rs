//! What the room tells of orders, and what it does about what the schedule room tells of seats.

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::{Clock, Fault, Timestamp};
use moim_proto::schedule::v1::SeatState;
use moim_storage::{Handler, Tx};
use prost::Message as _;

use crate::convert;
use crate::model::{Failure, Order, OrderState};
use crate::saga;
use crate::store::{Change, Store};

const ORDER: &str = "order";

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["seat"];

/// Tells an order's new version, and its member when it ended in a way they did not choose themselves.
pub fn tell_order(tx: &mut Tx, order: &Order, now: Timestamp) {
    let (id, trace) = (order.terms.id.uuid(), &order.trace);
    tx.tell(ORDER, id, order.version, &convert::order_fact(order), trace, now);
    let worth_telling = match order.state {
        OrderState::Confirmed | OrderState::Refunded => true,
        OrderState::Released => order.failure != Some(Failure::SeatLost),
        _ => false,
    };
    if worth_telling {
        let topic = Some(order.terms.member.uuid());
        let event = convert::order_event(order);
        tx.tell_event(ORDER, id, order.version, topic, &event, trace, now);
    }
}

/// Turns paid seats into orders; their money is moved later, by the worker.
pub struct Copier {
    pub store: Store,
    pub clock: Clock,
}

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let state = SeatState::decode(fact.payload.clone()).map_err(Fault::internal)?;
        let (terms, seat) = convert::seat(state)?;
        let now = tx.now(&self.clock).await?;
        let known = self.store.note_seat(tx, terms.id, seat, &fact.trace).await?;
        let to = saga::hear(known.as_ref().map(|order| order.state), seat);
        let failure = (to == OrderState::Released).then_some(Failure::SeatLost);
        let due = (to != OrderState::Released).then_some(now);
        let change = Change { to, failure, shortfall_krw: 0, due };
        let told = match known {
            None => self.store.insert_order(tx, &terms, seat, change, &fact.trace, now).await?,
            Some(order) if order.state != to => {
                self.store.move_order(tx, &order, change, now).await?
            }
            Some(_) => return Ok(()),
        };
        tell_order(tx, &told, now);
        Ok(())
    }
}
