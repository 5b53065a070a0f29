//! SQL plumbing for every room: one text of SQL on SQLite and PostgreSQL.
//!
//! Columns are TEXT, BIGINT, BOOLEAN and DOUBLE PRECISION; ids are TEXT, instants BIGINT microseconds.

mod args;
mod carrier;
mod copies;
#[cfg(feature = "crash")]
pub mod crash;
mod dead_letter;
mod error;
mod facts;
mod gauges;
mod ground;
mod idempotency;
mod inbox;
mod keyset;
mod measured;
mod migrate;
mod outbox;
mod parked;
mod pool;
mod query;
mod reader;
mod reads;
mod reconcile;
mod replica;
mod spans;
mod sweep;
mod tx;

pub use args::Arg;
pub use carrier::{Carrier, replay};
pub use copies::Copies;
pub use error::{Error, violates};
pub use ground::Ground;
pub use idempotency::{Idempotency, Replay};
pub use keyset::Keyset;
pub use measured::Measured;
pub use migrate::{MIGRATIONS, migrate, wait_migrated};
pub use outbox::Outbox;
pub use pool::{Config, Db};
pub use query::Row;
pub use reader::{Follower, Handler, Reader};
pub use reads::{Reads, View};
pub use sqlx::migrate::Migrator;
pub use tx::Tx;
