//! Ways that leave it to the database, and the control that leaves it to nobody.

use std::time::Duration;

use async_trait::async_trait;
use rand::Rng as _;
use sqlx::{Postgres, Transaction};
use tokio::time::sleep;

use super::ground::Database;
use super::{Claimed, Decision, Strategy};

const TAKE_IF_FREE: &str = "
UPDATE seat_schedule SET going_count = going_count + 1, version = version + 1
WHERE id = $1 AND going_count < capacity";
const IS_SEATED: &str =
    "SELECT EXISTS (SELECT 1 FROM seat_claim WHERE schedule_id = $1 AND member_id = $2)";
const READ: &str = "
SELECT going_count, capacity, version,
  EXISTS (SELECT 1 FROM seat_claim WHERE schedule_id = $1 AND member_id = $2)
FROM seat_schedule WHERE id = $1";
const READ_LOCKED: &str = "
SELECT going_count, capacity, version,
  EXISTS (SELECT 1 FROM seat_claim WHERE schedule_id = $1 AND member_id = $2)
FROM seat_schedule WHERE id = $1 FOR UPDATE";
const TAKE_IF_UNCHANGED: &str = "
UPDATE seat_schedule SET going_count = $2, version = version + 1 WHERE id = $1 AND version = $3";
const TAKE: &str = "UPDATE seat_schedule SET going_count = $2, version = version + 1 WHERE id = $1";
const SIT: &str =
    "INSERT INTO seat_claim (schedule_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

type Tx = Transaction<'static, Postgres>;

/// One statement that takes a seat or does not.
pub struct Conditional(pub Database);

#[async_trait]
impl Strategy for Conditional {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed> {
        let Database { pool, schedule } = &self.0;
        let mut tx = pool.begin().await?;
        let taken = sqlx::query(TAKE_IF_FREE).bind(schedule.as_str()).execute(&mut *tx).await?;
        let decision = if taken.rows_affected() == 1 {
            sit(tx, schedule, member).await?
        } else {
            let is_seated = sqlx::query_as(IS_SEATED).bind(schedule.as_str()).bind(member);
            let (is_seated,): (bool,) = is_seated.fetch_one(&mut *tx).await?;
            tx.rollback().await?;
            if is_seated { Decision::Already } else { Decision::Full }
        };
        Ok(Claimed::at_once(decision))
    }
}

/// Writes only what nobody changed since it was read; else reads again.
pub struct Versioned(pub Database);

#[async_trait]
impl Strategy for Versioned {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed> {
        let Database { pool, schedule } = &self.0;
        for retries in 0.. {
            let mut tx = pool.begin().await?;
            let seen = Seen::read(&mut tx, READ, schedule, member).await?;
            if let Some(decision) = seen.refusal() {
                tx.rollback().await?;
                return Ok(Claimed { decision, retries });
            }
            let take =
                sqlx::query(TAKE_IF_UNCHANGED).bind(schedule.as_str()).bind(seen.going_count + 1);
            if take.bind(seen.version).execute(&mut *tx).await?.rows_affected() == 1 {
                return Ok(Claimed { decision: sit(tx, schedule, member).await?, retries });
            }
            tx.rollback().await?;
            backoff(retries).await;
        }
        anyhow::bail!("nobody tries so often")
    }
}

/// What keeps others away between reading and writing.
#[derive(Clone, Copy, Debug)]
pub enum Guard {
    RowLock,
    Nothing,
}

impl Guard {
    pub fn over(self, database: Database) -> Guarded {
        Guarded { guard: self, database }
    }
}

/// Reads, decides, writes.
pub struct Guarded {
    guard: Guard,
    database: Database,
}

#[async_trait]
impl Strategy for Guarded {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed> {
        let read = match self.guard {
            Guard::RowLock => READ_LOCKED,
            Guard::Nothing => READ,
        };
        Ok(Claimed::at_once(read_then_write(&self.database, read, member, None).await?))
    }
}

/// Reads without any protection of its own, thinks for a while, and writes.
pub async fn unguarded(
    database: &Database,
    member: &str,
    pause: Option<Duration>,
) -> anyhow::Result<Decision> {
    read_then_write(database, READ, member, pause).await
}

async fn read_then_write(
    database: &Database,
    read: &'static str,
    member: &str,
    pause: Option<Duration>,
) -> anyhow::Result<Decision> {
    let Database { pool, schedule } = database;
    let mut tx = pool.begin().await?;
    let seen = Seen::read(&mut tx, read, schedule, member).await?;
    if let Some(decision) = seen.refusal() {
        tx.rollback().await?;
        return Ok(decision);
    }
    if let Some(pause) = pause {
        sleep(pause).await;
    }
    let take = sqlx::query(TAKE).bind(schedule.as_str()).bind(seen.going_count + 1);
    take.execute(&mut *tx).await?;
    sit(tx, schedule, member).await
}

/// The schedule as one claim read it.
#[derive(sqlx::FromRow)]
struct Seen {
    going_count: i64,
    capacity: i64,
    version: i64,
    exists: bool,
}

impl Seen {
    async fn read(
        tx: &mut Tx,
        sql: &'static str,
        schedule: &str,
        member: &str,
    ) -> anyhow::Result<Self> {
        Ok(sqlx::query_as(sql).bind(schedule).bind(member).fetch_one(&mut **tx).await?)
    }

    fn refusal(&self) -> Option<Decision> {
        if self.exists {
            return Some(Decision::Already);
        }
        (self.going_count >= self.capacity).then_some(Decision::Full)
    }
}

/// Ends a transaction that has counted a seat: for this member, unless they have one.
async fn sit(mut tx: Tx, schedule: &str, member: &str) -> anyhow::Result<Decision> {
    let sat = sqlx::query(SIT).bind(schedule).bind(member).execute(&mut *tx).await?;
    if sat.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(Decision::Already);
    }
    tx.commit().await?;
    Ok(Decision::Granted)
}

/// Longer with each try up to 16 ms, and by chance, so that those who met do not meet again.
pub async fn backoff(retries: u64) {
    let most = 1_000_u64 << retries.min(4);
    let pause = rand::rng().random_range(0..most);
    sleep(Duration::from_micros(pause)).await;
}
