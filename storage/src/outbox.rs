//! The outbox: facts committed with their cause, then published in an order readers can trust.
//!
//! Publishing gives each row the next position while holding the row lock of `outbox_head`, so that
//! positions become visible in order and a reader may go by `position > n`. The ids of rows could
//! not serve: they commit out of order, and a reader would skip some.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Consumer, Digest, Entry, Fact, Log};
use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault, metrics};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::args;
use crate::error::Error;
use crate::facts::FactRow;
use crate::gauges;
use crate::pool::{Config, Db};
use crate::reads::View;
use crate::sweep::sweep;
use crate::tx::Tx;

/// Found by polling, should a wake-up be lost or another process have written.
const POLL: Duration = Duration::from_millis(200);
const BATCH: i64 = 500;

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
const DIGEST: &str = "
SELECT bucket, COUNT(*) AS aggregates, CAST(SUM(version) AS BIGINT) AS versions FROM (
    SELECT SUBSTR(aggregate_id, 35) AS bucket, MAX(version) AS version
    FROM outbox WHERE noun = $1 AND kind = 'state' GROUP BY aggregate_id) AS newest
GROUP BY bucket";
const LIST_STATES: &str = "
SELECT id, noun, aggregate_id, version, payload, trace, created_at_us, kind, topic
FROM outbox
WHERE noun = $1 AND kind = 'state' AND SUBSTR(aggregate_id, 35) = $2 AND aggregate_id > $3
  AND NOT EXISTS (
    SELECT 1 FROM outbox AS newer
    WHERE newer.noun = outbox.noun AND newer.kind = 'state'
      AND newer.aggregate_id = outbox.aggregate_id AND newer.version > outbox.version)
ORDER BY aggregate_id LIMIT $4";

/// A room's outbox and the log it is read as.
#[derive(Clone, Debug)]
pub struct Outbox {
    db: Db,
    room: &'static str,
    consumer: Consumer,
    clock: Clock,
    reconcile_every: Duration,
    fact_patience: Duration,
    wake: Arc<Notify>,
    head: watch::Sender<i64>,
}

#[derive(sqlx::FromRow)]
struct OutboxRow {
    position: i64,
    #[sqlx(flatten)]
    fact: FactRow,
}

impl TryFrom<OutboxRow> for Entry {
    type Error = Fault;

    fn try_from(row: OutboxRow) -> Result<Self, Fault> {
        Ok(Self { position: row.position, fact: row.fact.try_into()? })
    }
}

impl Outbox {
    /// The outbox of a room's database.
    pub(crate) fn new(db: Db, room: &'static str, clock: Clock, config: &Config) -> Self {
        let reconcile_every = Duration::from_millis(config.reconcile_every_ms.max(1));
        let fact_patience = Duration::from_millis(config.fact_patience_ms);
        let (wake, head) = (Arc::default(), watch::Sender::new(0));
        let consumer = Consumer::room(room);
        Self { db, room, consumer, clock, reconcile_every, fact_patience, wake, head }
    }

    /// The room it belongs to.
    pub fn room(&self) -> &'static str {
        self.room
    }

    /// The same room, hearing the others as somebody else than all its processes together.
    #[must_use]
    pub fn hearing_as(mut self, consumer: Consumer) -> Self {
        self.consumer = consumer;
        self
    }

    /// Who hears the other rooms.
    pub(crate) fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn reconcile_every(&self) -> Duration {
        self.reconcile_every
    }

    pub(crate) fn fact_patience(&self) -> Duration {
        self.fact_patience
    }

    /// The database it stands in.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The database as it is now, to read only.
    pub fn view(&self) -> View {
        View::primary(self.db.clone())
    }

    /// Starts a transaction whose facts are published as soon as it is committed.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(self.db.begin().await?.wakes(self.wake.clone()))
    }

    /// Publishes and sweeps for as long as the house stands.
    pub fn start(&self, tasks: &Tasks) {
        let relay = self.clone();
        tasks.supervise("outbox relay", move || relay.clone().relay());
        let (db, clock) = (self.db.clone(), self.clock.clone());
        tasks.supervise("sweep", move || sweep(db.clone(), clock.clone()));
        let (db, room) = (self.db.clone(), self.room);
        tasks.supervise("gauges", move || gauges::run(db.clone(), room));
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
        if let Some(catalogue) = metrics::catalogue() {
            let told = u64::try_from(rows.len()).unwrap_or_default();
            catalogue.told.add(told, &[metrics::room(self.room)]);
        }
        Ok(position - head)
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

    async fn digest(&self, noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
        let rows: Vec<(String, i64, i64)> = self.db.fetch_all(DIGEST, args![noun]).await?;
        let digest = |(bucket, count, sum)| Digest { bucket, count, sum };
        Ok(Some(rows.into_iter().map(digest).collect()))
    }

    async fn lag(&self, _: &Consumer, position: i64) -> Result<Option<u64>, Fault> {
        let head = self.db.fetch_optional::<(i64,)>(HEAD, args![]).await?.unwrap_or_default().0;
        Ok(Some(u64::try_from(head - position).unwrap_or_default()))
    }

    async fn states(
        &self,
        noun: &str,
        bucket: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Fact>, Fault> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let args = args![noun, bucket, after, i64::from(limit)];
        let rows: Vec<FactRow> = self.db.fetch_all(LIST_STATES, args).await?;
        rows.into_iter().map(Fact::try_from).collect()
    }
}
