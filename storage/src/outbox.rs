//! The outbox: facts committed with their cause, then published in an order readers can trust.
//!
//! Publishing gives each row the next position while holding the row lock of `outbox_head`, so that
//! positions become visible in order and a reader may go by `position > n`. The ids of rows could
//! not serve: they commit out of order, and a reader would skip some.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Entry, Fact, Kind, Log};
use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault, Timestamp};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::args;
use crate::error::Error;
use crate::pool::Db;
use crate::tx::Tx;

/// Found by polling, should a wake-up be lost or another process have written.
const POLL: Duration = Duration::from_millis(200);
const BATCH: i64 = 500;

/// Rows published are kept at least so long, and the newest state of each aggregate for ever.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

const LOCK_HEAD: &str =
    "UPDATE outbox_head SET position = position WHERE id = 1 RETURNING position";
const LIST_UNPUBLISHED: &str =
    "SELECT id FROM outbox WHERE position IS NULL ORDER BY version, id LIMIT $1";
const SET_POSITION: &str = "UPDATE outbox SET position = $2 WHERE id = $1";
const MOVE_HEAD: &str = "UPDATE outbox_head SET position = $1 WHERE id = 1";
const READ: &str = "
SELECT id, noun, aggregate_id, version, payload, trace, created_at_us, position, kind, topic
FROM outbox WHERE position > $1 ORDER BY position LIMIT $2";
const HEAD: &str = "SELECT position FROM outbox_head WHERE id = 1";
const SWEEP: &str = "
DELETE FROM outbox WHERE position IS NOT NULL AND created_at_us < $1 AND (kind = 'event' OR EXISTS (
    SELECT 1 FROM outbox AS newer
    WHERE newer.noun = outbox.noun AND newer.kind = 'state'
      AND newer.aggregate_id = outbox.aggregate_id AND newer.version > outbox.version))";
const SWEEP_KEYS: &str = "DELETE FROM idempotency WHERE created_at_us < $1";

/// Answers of idempotent mutations are kept so long.
const KEYS_KEPT: Duration = Duration::from_secs(24 * 3_600);

/// A room's outbox and the log it is read as.
#[derive(Clone, Debug)]
pub struct Outbox {
    db: Db,
    wake: Arc<Notify>,
    head: watch::Sender<i64>,
}

#[derive(sqlx::FromRow)]
struct OutboxRow {
    id: String,
    noun: String,
    aggregate_id: String,
    version: i64,
    payload: Vec<u8>,
    trace: String,
    created_at_us: i64,
    position: i64,
    kind: String,
    topic: Option<String>,
}

impl TryFrom<OutboxRow> for Entry {
    type Error = Fault;

    fn try_from(row: OutboxRow) -> Result<Self, Fault> {
        let uuid = |text: &str| text.parse::<Uuid>().map_err(Fault::internal);
        let kind = Kind::from_word(&row.kind)
            .ok_or_else(|| Fault::internal(format!("unknown kind {:?} in the outbox", row.kind)))?;
        Ok(Self {
            position: row.position,
            fact: Fact {
                id: uuid(&row.id)?,
                kind,
                noun: row.noun,
                aggregate: uuid(&row.aggregate_id)?,
                version: row.version,
                payload: row.payload.into(),
                trace: row.trace,
                at: Timestamp::from_us(row.created_at_us),
                topic: row.topic.as_deref().map(uuid).transpose()?,
            },
        })
    }
}

impl Outbox {
    /// The outbox of a room's database.
    pub fn new(db: Db) -> Self {
        Self { db, wake: Arc::default(), head: watch::Sender::new(0) }
    }

    /// The database it stands in.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Starts a transaction whose facts are published as soon as it is committed.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(self.db.begin().await?.wakes(self.wake.clone()))
    }

    /// Publishes and sweeps for as long as the house stands.
    pub fn start(&self, tasks: &Tasks, clock: Clock) {
        let relay = self.clone();
        tasks.supervise("outbox relay", move || relay.clone().relay());
        let sweeper = self.clone();
        tasks.supervise("outbox sweep", move || sweeper.clone().sweep(clock.clone()));
    }

    async fn relay(self) {
        loop {
            match self.publish().await {
                Ok(published) if published == BATCH => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "facts could not be published; trying again"),
            }
            let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
        }
    }

    /// Gives positions to what was not published yet; answers how many.
    async fn publish(&self) -> Result<i64, Error> {
        let (seen,) = self.db.fetch_optional::<(i64,)>(HEAD, vec![]).await?.unwrap_or_default();
        self.head.send_if_modified(|head| std::mem::replace(head, seen) < seen);
        if self.db.fetch_all::<(String,)>(LIST_UNPUBLISHED, args![1]).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = self.db.begin().await?;
        let (head,) = tx.fetch_optional::<(i64,)>(LOCK_HEAD, vec![]).await?.unwrap_or_default();
        let rows = tx.fetch_all::<(String,)>(LIST_UNPUBLISHED, args![BATCH]).await?;
        let mut position = head;
        for (id,) in &rows {
            position += 1;
            tx.execute(SET_POSITION, args![id, position]).await?;
        }
        tx.execute(MOVE_HEAD, args![position]).await?;
        tx.commit().await?;
        self.head.send_replace(position);
        Ok(position - head)
    }

    async fn sweep(self, clock: Clock) {
        loop {
            let now = clock.now();
            let swept = async {
                let mut tx = self.db.begin().await?;
                tx.execute(SWEEP, args![now.before(KEPT)]).await?;
                tx.execute(SWEEP_KEYS, args![now.before(KEYS_KEPT)]).await?;
                tx.commit().await
            };
            if let Err(error) = swept.await {
                tracing::warn!(%error, "old rows could not be swept; trying again later");
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    }
}

#[async_trait]
impl Log for Outbox {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        let rows: Vec<OutboxRow> =
            self.db.fetch_all(READ, args![position, i64::from(limit)]).await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        let mut head = self.head.subscribe();
        let newer = head.wait_for(|head| *head > position);
        let _ = tokio::time::timeout(at_most, newer).await;
        Ok(())
    }
}
