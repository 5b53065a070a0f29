//! Carrying a room's outbox to the broker: in order, one process at a time, again from the start when the
//! broker has lost something.

use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::{Acked, Fact, Log as _, Publisher, Standing};
use moim_kit::metrics::label::OTHER;
use moim_kit::metrics::{self, KeyValue};
use moim_kit::task::Tasks;
use tokio::time::Instant;
use uuid::Uuid;

use crate::args;
use crate::outbox::Outbox;
use crate::pool::Db;
use crate::spans;

const BATCH: u32 = 500;
/// Whoever carries is given up so long after its last sign of life.
const LEASE: Duration = Duration::from_secs(3);
/// How often an idle carrier renews its lease and looks at the broker's streams.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

const HOLD: &str = "
UPDATE bus_cursor SET holder = $1, until_us = $2
WHERE id = 1 AND (holder = $1 OR until_us < $3)
RETURNING position, epoch, identity, states, events";
const MOVE: &str = "
UPDATE bus_cursor SET position = $1, states = $2, events = $3, identity = $4, until_us = $5
WHERE id = 1 AND holder = $6 AND epoch = $7";
const REWIND: &str = "UPDATE bus_cursor SET position = 0, epoch = epoch + 1, identity = '', states = 0, events = 0 WHERE id = 1";
const LET_GO: &str = "UPDATE bus_cursor SET until_us = $2 WHERE id = 1 AND holder = $1";

/// Makes a room tell everything it keeps once more.
pub async fn replay(db: &Db) -> Result<(), Fault> {
    let mut tx = db.begin().await?;
    tx.execute(REWIND, args![]).await?;
    tx.commit().await?;
    Ok(())
}

/// Carries what one room tells.
#[derive(Clone, Debug)]
pub struct Carrier {
    outbox: Outbox,
    publisher: Publisher,
    holder: Uuid,
}

#[derive(sqlx::FromRow)]
struct CursorRow {
    position: i64,
    epoch: i64,
    identity: String,
    states: i64,
    events: i64,
}

struct Cursor {
    position: i64,
    epoch: i64,
    known: Standing,
}

impl Carrier {
    /// From an outbox to the broker.
    pub fn new(outbox: Outbox, publisher: Publisher) -> Self {
        Self { outbox, publisher, holder: Uuid::now_v7() }
    }

    /// Carries for as long as the house stands; another process may take over at once when it ends.
    pub fn start(self, tasks: &Tasks) {
        let (token, leaving) = (tasks.token(), self.clone());
        tasks.spawn("carrier's end", async move {
            token.cancelled().await;
            if let Err(error) = leaving.let_go().await {
                tracing::debug!(%error, "the lease runs out by itself");
            }
        });
        tasks.supervise("carrier", move || run(self.clone()));
    }

    async fn write(&self, sql: &str, args: Vec<crate::Arg>) -> Result<u64, Fault> {
        let mut tx = self.outbox.db().begin().await?;
        let changed = tx.execute(sql, args).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn let_go(&self) -> Result<(), Fault> {
        let args = args![self.holder, self.outbox.clock().now()];
        self.write(LET_GO, args).await.map(|_| ())
    }

    /// Where to go on; `None` while another process carries.
    async fn hold(&self) -> Result<Option<Cursor>, Fault> {
        let now = self.outbox.clock().now();
        let mut tx = self.outbox.db().begin().await?;
        let args = args![self.holder, now.after(LEASE), now];
        let row = tx.fetch_optional::<CursorRow>(HOLD, args).await?;
        tx.commit().await?;
        Ok(row.map(|row| Cursor {
            position: row.position,
            epoch: row.epoch,
            known: Standing { identity: row.identity, states: row.states, events: row.events },
        }))
    }

    /// Moves the cursor; false when it was set back or taken away meanwhile.
    async fn keep(&self, cursor: &Cursor) -> Result<bool, Fault> {
        let until = self.outbox.clock().now().after(LEASE);
        let known = &cursor.known;
        let args = args![
            cursor.position,
            known.states,
            known.events,
            known.identity.as_str(),
            until,
            self.holder,
            cursor.epoch,
        ];
        Ok(self.write(MOVE, args).await? == 1)
    }

    fn measure(&self, began: Option<Instant>, well: bool) {
        let Some((catalogue, began)) = metrics::catalogue().zip(began) else { return };
        let mut labels = vec![
            KeyValue::new("messaging.system", "nats"),
            KeyValue::new("messaging.operation.name", "publish"),
            metrics::room(self.outbox.room()),
        ];
        labels.extend((!well).then(|| KeyValue::new("error.type", OTHER)));
        catalogue.published.record(metrics::seconds(began), &labels);
    }

    async fn rewind(&self) -> Result<(), Fault> {
        let room = self.outbox.room();
        tracing::warn!(room, "the bus has lost what it had acknowledged; telling everything again");
        replay(self.outbox.db()).await
    }

    /// Carries until the lease is lost, the cursor set back, or something fails.
    async fn carry(&self) -> Result<(), Fault> {
        let Some(mut cursor) = self.hold().await? else {
            tokio::time::sleep(LOOK_EVERY).await;
            return Ok(());
        };
        let standing = self.publisher.standing().await?;
        if has_lost(&cursor.known, &standing) {
            return self.rewind().await;
        }
        cursor.known.identity = standing.identity;
        if !self.keep(&cursor).await? {
            return Ok(());
        }
        let looked = Instant::now();
        while looked.elapsed() < LOOK_EVERY {
            let entries = self.outbox.read(cursor.position, BATCH).await?;
            let Some(last) = entries.last() else {
                self.outbox
                    .wait(cursor.position, LOOK_EVERY.saturating_sub(looked.elapsed()))
                    .await?;
                continue;
            };
            let facts: Vec<&Fact> = entries.iter().map(|entry| &entry.fact).collect();
            let now = self.outbox.clock().now();
            let spans: Vec<_> =
                facts.iter().filter_map(|fact| spans::carrying(fact, now)).collect();
            let began = metrics::now();
            let acked = self.publisher.publish(facts, cursor.epoch, &cursor.known).await;
            self.measure(began, acked.is_ok());
            let acked = acked?;
            drop(spans);
            #[cfg(feature = "crash")]
            crate::crash::reach(
                crate::crash::Point::AfterPublish,
                entries.iter().map(|entry| &entry.fact),
            );
            if acked.went_back {
                return self.rewind().await;
            }
            if let Some(catalogue) = metrics::catalogue() {
                let carried = u64::try_from(entries.len()).unwrap_or_default();
                catalogue.carried.add(carried, &[metrics::room(self.outbox.room())]);
            }
            let Acked { states, events, .. } = acked;
            cursor.position = last.position;
            cursor.known.states = cursor.known.states.max(states);
            cursor.known.events = cursor.known.events.max(events);
            if !self.keep(&cursor).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// True when the broker is another than it was, or has gone back.
fn has_lost(known: &Standing, now: &Standing) -> bool {
    let is_first = known.identity.is_empty();
    !is_first
        && (known.identity != now.identity
            || now.states < known.states
            || now.events < known.events)
}

async fn run(carrier: Carrier) {
    let mut pause = FIRST_PAUSE;
    loop {
        match carrier.carry().await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                let room = carrier.outbox.room();
                tracing::warn!(%error, room, "facts could not be told to the bus; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
