//! SQL plumbing for every room: one text of SQL on SQLite and PostgreSQL.
//!
//! Columns are TEXT, BIGINT, BOOLEAN and DOUBLE PRECISION; ids are TEXT, instants BIGINT microseconds.

mod args;
mod copies;
mod error;
mod ground;
mod idempotency;
mod keyset;
mod migrate;
mod outbox;
mod pool;
mod query;
mod reader;
mod tx;

pub use args::Arg;
pub use copies::Copies;
pub use error::{Error, violates};
pub use ground::Ground;
pub use idempotency::{Idempotency, Replay};
pub use keyset::Keyset;
pub use migrate::{MIGRATIONS, migrate};
pub use outbox::Outbox;
pub use pool::{Config, Db};
pub use query::Row;
pub use reader::{Handler, Reader};
pub use sqlx::migrate::Migrator;
pub use tx::Tx;
