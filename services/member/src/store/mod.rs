//! What this room keeps, and all the SQL it knows.

mod blocks;
mod keys;
mod log_ins;
mod members;
mod sessions;

use std::fmt;

use moim_storage::{Db, Outbox};

pub(crate) use blocks::{delete_block, insert_block};
pub(crate) use log_ins::{clear_failures, count_failure};
pub(crate) use members::{find_member, insert_member, lock_member, update_member};
pub(crate) use sessions::{
    find_standing, insert_session, lock_session_of, revoke_all, revoke_session, rotate_token,
    touch_session,
};

/// A password's hash; only ever compared.
pub(crate) struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Reads of this room; writes are functions on a transaction begun at the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    db: Db,
    outbox: Outbox,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { db: outbox.db().clone(), outbox }
    }
}
