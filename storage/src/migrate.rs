//! Bringing a database to the shape the code expects; forward only, safe while old code runs.

use std::borrow::Cow;

use moim_kit::Fault;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::{Connection as _, Executor as _, PgPool, SqlitePool};

use crate::pool::Db;

/// The tables of this crate: outbox, copies, read positions and idempotency keys.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Applies this crate's migrations and a room's own, in order of their version, each once.
///
/// Versions of this crate are 1 to 99; a room's own begin at 100.
pub async fn migrate(db: &Db, own: &'static Migrator) -> Result<(), Fault> {
    let mut all: Vec<Migration> = MIGRATIONS.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    // A replica of the version before may start again after a newer one has migrated.
    let migrator =
        Migrator { migrations: Cow::Owned(all), ignore_missing: true, ..Migrator::DEFAULT };
    let applied = match db {
        Db::Sqlite { writer, .. } => run_on_sqlite(&migrator, writer).await,
        Db::Postgres(pool) => run_on_postgres(&migrator, pool).await,
    };
    applied.map_err(Fault::internal)
}

/// SQLite has no lock for migrators: a transaction that writes from its start keeps others waiting.
async fn run_on_sqlite(migrator: &Migrator, writer: &SqlitePool) -> Result<(), MigrateError> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// On a connection of its own, which waits as long as others migrate and takes as long as it takes.
async fn run_on_postgres(migrator: &Migrator, pool: &PgPool) -> Result<(), MigrateError> {
    let mut connection = pool.acquire().await?.detach();
    connection.execute("SET lock_timeout = 0; SET statement_timeout = 0").await?;
    migrator.run(&mut connection).await?;
    Ok(connection.close().await?)
}
