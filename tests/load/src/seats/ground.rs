//! The servers and the two tables that every way decides over.

use anyhow::Context as _;
use moim_testbed::{Redis, durable_database};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::Burst;

// No CHECK stands behind them, so that what a way lets through can be seen.
const TABLES: [&str; 2] = [
    "CREATE TABLE seat_schedule (
       id TEXT PRIMARY KEY, capacity BIGINT NOT NULL, going_count BIGINT NOT NULL, version BIGINT NOT NULL)",
    "CREATE TABLE seat_claim (
       schedule_id TEXT NOT NULL, member_id TEXT NOT NULL, PRIMARY KEY (schedule_id, member_id))",
];
const OPEN: &str =
    "INSERT INTO seat_schedule (id, capacity, going_count, version) VALUES ($1, $2, 0, 1)";
const COUNT: &str = "
SELECT going_count, (SELECT COUNT(*) FROM seat_claim WHERE schedule_id = $1)
FROM seat_schedule WHERE id = $1";

/// One schedule in the database.
#[derive(Clone, Debug)]
pub struct Database {
    pub pool: PgPool,
    pub schedule: String,
}

/// PostgreSQL and Redis, and the schedule that is claimed now.
pub struct Ground {
    pub redis: Redis,
    pub database: Database,
}

/// What is in the tables after a burst.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// As the schedule counts.
    pub going_count: i64,
    /// Rows of people with a seat.
    pub seated: i64,
}

impl Ground {
    /// Starts both; nothing, said loudly, when one of them is not installed.
    pub async fn open(connections: usize) -> anyhow::Result<Option<Self>> {
        let (Some(url), Some(redis)) = (durable_database().await, Redis::start().await) else {
            return Ok(None);
        };
        // One more for the single writer, so that every way has its connections to itself.
        let most = u32::try_from(connections)? + 1;
        let pool = PgPoolOptions::new().min_connections(most).max_connections(most);
        let pool = pool.connect(&url).await.context("PostgreSQL does not answer")?;
        for table in TABLES {
            sqlx::query(table).execute(&pool).await?;
        }
        Ok(Some(Self { redis, database: Database { pool, schedule: String::new() } }))
    }

    /// Announces a new schedule, which is the one that is claimed from here on.
    pub async fn announce(&mut self, burst: Burst) -> anyhow::Result<()> {
        self.database.schedule = Uuid::now_v7().to_string();
        let seats = i64::try_from(burst.seats)?;
        let open = sqlx::query(OPEN).bind(&self.database.schedule).bind(seats);
        open.execute(&self.database.pool).await?;
        Ok(())
    }

    /// What has become of it.
    pub async fn kept(&self) -> anyhow::Result<Kept> {
        let count = sqlx::query_as(COUNT).bind(&self.database.schedule);
        let (going_count, seated) = count.fetch_one(&self.database.pool).await?;
        Ok(Kept { going_count, seated })
    }
}
