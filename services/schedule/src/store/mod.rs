//! What the room keeps, in SQL; every statement about it stands here.

mod attendances;
mod copies;
mod places;
mod rows;
mod schedules;

use moim_storage::{Error, Outbox, Tx};

pub use places::Outcome;

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
    take_seat: &'static str,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox, take_seat: places::TAKE_SEAT }
    }

    /// A store that gives seats away without counting, to prove that tests of seats can fail.
    #[cfg(test)]
    pub fn careless(outbox: Outbox) -> Self {
        Self { outbox, take_seat: places::TAKE_SEAT_UNCOUNTED }
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.outbox.begin().await
    }
}
