//! What the room keeps, in SQL; every statement about it stands here.

mod attendances;
mod copies;
mod counted;
mod holds;
mod line;
mod places;
mod rows;
mod schedules;
mod seats;
#[cfg(test)]
mod snapshot;

use moim_kit::{Clock, Timestamp};
use moim_storage::{Error, Outbox, Tx};

use crate::fee::Terms;

pub use line::{Outcome, Release};

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
    terms: Terms,
    decisions: Decisions,
}

/// The writes that decide about seats when several come at once.
#[derive(Clone, Copy)]
struct Decisions {
    take_seat: &'static str,
    grant: &'static str,
    grant_seat: &'static str,
    release: &'static str,
}

const DECISIONS: Decisions = Decisions {
    take_seat: places::TAKE_SEAT,
    grant: holds::GRANT,
    grant_seat: seats::GRANT,
    release: holds::RELEASE,
};

impl Store {
    pub fn new(outbox: Outbox, terms: Terms) -> Self {
        Self { outbox, terms, decisions: DECISIONS }
    }

    /// A store that gives seats away without counting, to prove that tests of seats can fail.
    #[cfg(test)]
    pub fn careless(outbox: Outbox, terms: Terms) -> Self {
        let decisions = Decisions { take_seat: places::TAKE_SEAT_UNCOUNTED, ..DECISIONS };
        Self { outbox, terms, decisions }
    }

    /// A store that gives held seats for good without looking whether they are held, for the same.
    #[cfg(test)]
    pub fn gullible(outbox: Outbox, terms: Terms) -> Self {
        let (grant, grant_seat) = (holds::GRANT_UNSEEN, seats::GRANT_UNSEEN);
        Self { outbox, terms, decisions: Decisions { grant, grant_seat, ..DECISIONS } }
    }

    /// A store that releases holds without looking whether they are still there, for the same.
    #[cfg(test)]
    pub fn hasty(outbox: Outbox, terms: Terms) -> Self {
        let decisions = Decisions { release: holds::RELEASE_UNSEEN, ..DECISIONS };
        Self { outbox, terms, decisions }
    }

    /// How long seats are kept for somebody.
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// The instant by the database's clock.
    pub async fn now(&self, clock: &Clock) -> Result<Timestamp, Error> {
        self.outbox.db().now(clock).await
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.outbox.begin().await
    }
}
