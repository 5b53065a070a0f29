//! Bringing a database to the shape the code expects; forward only, safe while old code runs.

use std::borrow::Cow;
use std::time::Duration;

use moim_kit::Fault;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::{Connection as _, Executor as _, PgPool, SqlitePool};

use tokio::time::Instant;

use crate::pool::Db;

const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success";
const UNDEFINED_TABLE: &str = "42P01";
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The tables of this crate: outbox, copies, read positions and idempotency keys.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Applies this crate's migrations and a room's own, in order of their version, each once.
///
/// Versions of this crate are 1 to 99; a room's own begin at 100.
pub async fn migrate(db: &Db, own: &'static Migrator) -> Result<(), Fault> {
    let all = every(own);
    // A replica of the version before may start again after a newer one has migrated.
    let migrator =
        Migrator { migrations: Cow::Owned(all), ignore_missing: true, ..Migrator::DEFAULT };
    let applied = match db {
        Db::Sqlite { writer, .. } => run_on_sqlite(&migrator, writer).await,
        Db::Postgres(pool, _) => run_on_postgres(&migrator, pool).await,
    };
    applied.map_err(Fault::internal)
}

/// Waits until all of that has been applied by somebody else; `SCHEMA_BEHIND` when it is not in time.
pub async fn wait_migrated(
    db: &Db,
    own: &'static Migrator,
    patience: Duration,
) -> Result<(), Fault> {
    let until = Instant::now() + patience;
    loop {
        let missing = missing(db, own).await?;
        let Some(version) = missing.first() else { return Ok(()) };
        if Instant::now() >= until {
            let told = format!("migration {version} has not been applied; run: moim migrate");
            return Err(Fault::unavailable("SCHEMA_BEHIND", told));
        }
        tracing::info!(missing = missing.len(), "waiting for migrations");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn missing(db: &Db, own: &'static Migrator) -> Result<Vec<i64>, Fault> {
    let applied: Vec<i64> = match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(APPLIED).fetch_all(writer).await,
        Db::Postgres(pool, _) => sqlx::query_scalar(APPLIED).fetch_all(pool).await,
    }
    .or_else(|error| match error.as_database_error() {
        // There is no such table before the first migration.
        Some(it)
            if it.code().is_some_and(|code| code == UNDEFINED_TABLE)
                || it.message().contains("no such table") =>
        {
            Ok(Vec::new())
        }
        _ => Err(Fault::unavailable("DATABASE_UNAVAILABLE", error)),
    })?;
    let every = every(own).into_iter().map(|migration| migration.version);
    Ok(every.filter(|version| !applied.contains(version)).collect())
}

fn every(own: &'static Migrator) -> Vec<Migration> {
    let mut all: Vec<Migration> = MIGRATIONS.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    all
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
