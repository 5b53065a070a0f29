//! Everything this room keeps; the only place that speaks SQL.

mod card;
mod gathering;
mod membership;
mod rating;

use moim_kit::Fault;
use moim_kit::id::{Id, Noun};
use moim_storage::{Db, Outbox, Tx};

pub use card::{count_hosted, save_card};
pub use gathering::{
    find_gatherings, free_seat, insert_gathering, list_gatherings, lock_gathering, take_seat,
    update_gathering,
};
pub use membership::{
    find_memberships, find_own, find_own_in, find_pair, list_managers, list_own, list_rosters,
    save_membership,
};
pub use rating::save_rating;

/// What writing calls read before they begin, and the start of each transaction.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }

    pub async fn begin(&self) -> Result<Tx, Fault> {
        Ok(self.outbox.begin().await?)
    }

    fn db(&self) -> &Db {
        self.outbox.db()
    }
}

/// An id that this room wrote itself.
fn own_id<N: Noun>(text: &str) -> Result<Id<N>, Fault> {
    text.parse().map_err(Fault::internal)
}

/// A word that this room wrote itself.
fn own_word<T>(found: Option<T>, word: &str) -> Result<T, Fault> {
    found.ok_or_else(|| Fault::internal(format!("{word:?} is not a word this version knows")))
}

/// A number that a check in the database keeps small.
fn small(number: i64) -> Result<i32, Fault> {
    i32::try_from(number).map_err(Fault::internal)
}
