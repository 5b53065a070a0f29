//! Connections to a room's database: a SQLite file, or a schema in PostgreSQL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use moim_kit::seen::LIFE;
use moim_kit::{Clock, Code, Fault, Timestamp};

use crate::args::Arg;
use crate::error::Error;
use crate::measured::Measured;
use crate::query::{Row, Statement};
use crate::tx::Tx;

/// Where rooms keep what they own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `postgres://user@host/database` (each room has a schema of its own in it), or empty for a
    /// SQLite file per room in the data directory.
    pub url: String,
    /// The same for a streaming replica of that database, from which answers to questions are read once it is as far
    /// as who asks has seen; empty: everything is read where it is written.
    pub replica_url: String,
    /// Longest wait for the replica to be that far before the primary is asked, milliseconds.
    pub replica_wait_ms: u64,
    /// A replica further behind than this is not read from, milliseconds.
    pub replica_max_lag_ms: u64,
    /// Whether a room brings its schema in PostgreSQL up to date when it starts; else that is done before, and the
    /// room waits for it.
    pub migrate: bool,
    /// Most connections of one room to PostgreSQL.
    pub max_connections: u32,
    /// Longest wait for a connection, milliseconds.
    pub acquire_timeout_ms: u64,
    /// Longest wait for a lock in PostgreSQL, milliseconds.
    pub lock_timeout_ms: u64,
    /// Longest statement in PostgreSQL, milliseconds.
    pub statement_timeout_ms: u64,
    /// How often copies are compared with their owners, milliseconds.
    pub reconcile_every_ms: u64,
    /// How long a fact may hold up others because something it needs is unavailable, milliseconds.
    pub fact_patience_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            replica_url: String::new(),
            replica_wait_ms: 50,
            replica_max_lag_ms: 45_000,
            migrate: true,
            max_connections: 8,
            acquire_timeout_ms: 5_000,
            lock_timeout_ms: 2_000,
            statement_timeout_ms: 5_000,
            reconcile_every_ms: 60_000,
            fact_patience_ms: 20_000,
        }
    }
}

/// What somebody wrote is remembered for [`LIFE`] only: by then every replica that is read from must have it, some
/// time for clocks that differ included.
const MOST_LAG: Duration = LIFE.saturating_sub(Duration::from_secs(10));

impl Config {
    /// Refuses what no database can be.
    fn check(&self) -> Result<(), Fault> {
        let is_postgres =
            |url: &str| ["postgres://", "postgresql://"].iter().any(|it| url.starts_with(it));
        let wrong = if !self.url.is_empty() && !is_postgres(&self.url) {
            "storage.url must be empty or begin with postgres://"
        } else if self.replica_url.is_empty() {
            return Ok(());
        } else if self.url.is_empty() {
            "storage.replica_url is for a replica of storage.url, which is empty: SQLite has none"
        } else if !is_postgres(&self.replica_url) {
            "storage.replica_url must be empty or begin with postgres://"
        } else if Duration::from_millis(self.replica_max_lag_ms) > MOST_LAG {
            "storage.replica_max_lag_ms must be at most 50000: what somebody wrote is remembered for a minute"
        } else {
            return Ok(());
        };
        Err(Fault::new(Code::Invalid, "CONFIG_INVALID", wrong))
    }

    /// How a server of PostgreSQL is spoken to by a room.
    pub(crate) fn postgres(&self, url: &str, room: &str) -> Result<PgConnectOptions, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?;
        Ok(options.application_name(&format!("moim-{room}")).options([
            ("search_path", room.to_owned()),
            ("lock_timeout", self.lock_timeout_ms.to_string()),
            ("statement_timeout", self.statement_timeout_ms.to_string()),
            ("idle_in_transaction_session_timeout", "5000".to_owned()),
        ]))
    }
}

/// A room's database; cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// One writing connection, for SQLite has one writer, and some that only read.
    Sqlite {
        /// Writes.
        writer: SqlitePool,
        /// Reads.
        reader: SqlitePool,
        /// What its statements are measured by.
        measured: Measured,
    },
    /// A pool whose search path is the room's schema, and what its statements are measured by.
    Postgres(PgPool, Measured),
}

/// PostgreSQL only: SQLite is this process, and has its clock.
pub(crate) const NOW: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
const SQLITE_READERS: u32 = 4;
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Db {
    /// Opens a room's database, making the file or the schema when it is not there.
    pub async fn open(config: &Config, data: &Path, room: &'static str) -> Result<Self, Fault> {
        config.check()?;
        let opened = if config.url.is_empty() {
            Self::open_sqlite(&data.join(format!("{room}.db")), config, room).await
        } else {
            Self::open_postgres(config, room).await
        };
        opened.map_err(|error| Fault::unavailable("DATABASE_UNAVAILABLE", error))
    }

    async fn open_sqlite(
        file: &PathBuf,
        config: &Config,
        room: &'static str,
    ) -> Result<Self, sqlx::Error> {
        if let Some(directory) = file.parent() {
            tokio::fs::create_dir_all(directory).await.map_err(sqlx::Error::Io)?;
        }
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms.max(5_000)))
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        let reader = pool(SQLITE_READERS).connect_with(options.read_only(true)).await?;
        let measured = Measured::sqlite(room);
        measured.connections(&writer);
        measured.connections(&reader);
        Ok(Self::Sqlite { writer, reader, measured })
    }

    async fn open_postgres(config: &Config, room: &'static str) -> Result<Self, sqlx::Error> {
        let options = config.postgres(&config.url, room)?;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        // Two processes may start at once: `IF NOT EXISTS` alone still collides in the catalogue.
        let mut tx = pool.begin().await?;
        sqlx::query("SET LOCAL lock_timeout = 0").execute(&mut *tx).await?;
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('moim.schema'))")
            .execute(&mut *tx)
            .await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {room}")))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        let measured = Measured::postgres(room);
        measured.connections(&pool);
        Ok(Self::Postgres(pool, measured))
    }

    /// Starts a short transaction; on SQLite it is the only writer from its start.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(self).await
    }

    /// Rows of a query outside any transaction.
    pub async fn fetch_all<R: Row>(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<R>, Error> {
        self.all(sql, Statement::new(sql, args)).await
    }

    /// Rows of a query with a list in the place of `{ids}`, numbered after the other values.
    pub async fn fetch_in<R: Row>(
        &self,
        sql: &str,
        args: Vec<Arg>,
        list: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        self.all(sql, Statement::with_list(sql, args, list)).await
    }

    /// The first row of a query, if there is one.
    pub async fn fetch_optional<R: Row>(
        &self,
        sql: &str,
        args: Vec<Arg>,
    ) -> Result<Option<R>, Error> {
        self.first(sql, Statement::new(sql, args)).await
    }

    pub(crate) async fn first<R: Row>(
        &self,
        sql: &str,
        query: Statement,
    ) -> Result<Option<R>, Error> {
        let running = self.measured().begin(sql);
        let fetched = match self {
            Self::Sqlite { reader, .. } => query.sqlite_as().fetch_optional(reader).await,
            Self::Postgres(pool, _) => query.postgres_as().fetch_optional(pool).await,
        };
        running.end(fetched.map_err(Error::from))
    }

    pub(crate) async fn all<R: Row>(&self, sql: &str, query: Statement) -> Result<Vec<R>, Error> {
        let running = self.measured().begin(sql);
        let fetched = match self {
            Self::Sqlite { reader, .. } => query.sqlite_as().fetch_all(reader).await,
            Self::Postgres(pool, _) => query.postgres_as().fetch_all(pool).await,
        };
        running.end(fetched.map_err(Error::from))
    }

    /// What its statements are measured by.
    pub(crate) fn measured(&self) -> Measured {
        match self {
            Self::Sqlite { measured, .. } | Self::Postgres(_, measured) => *measured,
        }
    }

    /// The instant by the database's clock, which all processes of a room share, moved as `clock` is.
    pub async fn now(&self, clock: &Clock) -> Result<Timestamp, Error> {
        if let Self::Sqlite { .. } = self {
            return Ok(clock.now());
        }
        let row = self.fetch_optional::<(i64,)>(NOW, Vec::new()).await?;
        Ok(Timestamp::from_us(row.unwrap_or_default().0.saturating_add(clock.offset_us())))
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<(), Error> {
        self.fetch_optional::<(i64,)>("SELECT CAST(1 AS BIGINT)", Vec::new()).await.map(|_| ())
    }

    /// Closes every connection; SQLite folds its log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader, .. } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres(pool, _) => pool.close().await,
        }
    }
}
