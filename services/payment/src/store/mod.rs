//! What the room keeps, in SQL; every statement about it stands here.

mod audit;
mod orders;
mod rows;
mod top_ups;
mod wallets;

use moim_kit::{Clock, Fault, Timestamp};
use moim_storage::{Outbox, Tx};

pub use audit::audit;
pub use orders::Change;
pub use top_ups::Turn;

/// The writes that decide races: each takes effect only where nobody else's has.
#[derive(Clone, Copy)]
struct Guards {
    claim_order: &'static str,
    move_order: &'static str,
    hold_money: &'static str,
    close_hold: &'static str,
    move_top_up: &'static str,
}

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
    guards: Guards,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        let guards = Guards {
            claim_order: orders::CLAIM,
            move_order: orders::MOVE,
            hold_money: wallets::HOLD,
            close_hold: wallets::CLOSE_HOLD,
            move_top_up: top_ups::MOVE,
        };
        Self { outbox, guards }
    }

    /// A store that writes without looking, to prove that tests of money can fail.
    #[cfg(test)]
    pub fn careless(outbox: Outbox) -> Self {
        let guards = Guards {
            claim_order: orders::CLAIM_CARELESS,
            move_order: orders::MOVE_CARELESS,
            hold_money: wallets::HOLD_CARELESS,
            close_hold: wallets::CLOSE_HOLD_CARELESS,
            move_top_up: top_ups::MOVE_CARELESS,
        };
        Self { outbox, guards }
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Fault> {
        Ok(self.outbox.begin().await?)
    }

    /// The instant by the database's clock.
    pub async fn now(&self, clock: &Clock) -> Result<Timestamp, Fault> {
        Ok(self.outbox.db().now(clock).await?)
    }
}
