//! What the room keeps, in SQL; every statement about it stands here.

mod copies;
mod messages;

use moim_kit::Fault;
use moim_storage::{Db, Outbox, Tx};

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
    /// Gives out sequences without the lock, to prove that tests of their order can fail.
    careless: bool,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox, careless: false }
    }

    #[cfg(test)]
    pub fn careless(outbox: Outbox) -> Self {
        Self { outbox, careless: true }
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Fault> {
        Ok(self.outbox.begin().await?)
    }

    fn db(&self) -> &Db {
        self.outbox.db()
    }
}
