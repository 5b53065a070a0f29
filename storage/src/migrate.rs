//! Bringing a database to the shape the code expects; forward only, safe while old code runs.

use std::borrow::Cow;

use moim_kit::Fault;
use sqlx::migrate::{Migration, Migrator};

use crate::pool::Db;

/// The tables of this crate: outbox, copies, read positions and idempotency keys.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Applies this crate's migrations and a room's own, in order of their version, each once.
///
/// Versions of this crate are 1 to 99; a room's own begin at 100.
pub async fn migrate(db: &Db, own: &'static Migrator) -> Result<(), Fault> {
    let mut all: Vec<Migration> = MIGRATIONS.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    let migrator = Migrator { migrations: Cow::Owned(all), ..Migrator::DEFAULT };
    let applied = match db {
        Db::Sqlite { writer, .. } => migrator.run(writer).await,
        Db::Postgres(pool) => migrator.run(pool).await,
    };
    applied.map_err(Fault::internal)
}
