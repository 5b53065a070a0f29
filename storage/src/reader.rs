//! Reading another room's log: effect, version and position are committed together, newest version wins.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::Fault;
use moim_kit::bus::{Entry, Fact, Kind, Log};
use moim_kit::task::Tasks;

use crate::args;
use crate::copies::Copies;
use crate::outbox::Outbox;

const FIND_POSITION: &str = "SELECT position FROM inbox_position WHERE source = $1";
const LOCK_POSITION: &str = "
INSERT INTO inbox_position (source, position) VALUES ($1, 0)
ON CONFLICT (source) DO UPDATE SET position = inbox_position.position
RETURNING position";
const SET_POSITION: &str =
    "UPDATE inbox_position SET position = $2 WHERE source = $1 AND position < $2";
const TAKE_VERSION: &str = "
INSERT INTO inbox (noun, aggregate_id, version) VALUES ($1, $2, $3)
ON CONFLICT (noun, aggregate_id) DO UPDATE SET version = excluded.version
WHERE inbox.version < excluded.version";

const BATCH: u32 = 200;
const WAIT: Duration = Duration::from_secs(10);
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a room does with a fact of another; runs in the transaction that marks it as taken in.
#[async_trait]
pub trait Handler: Send + Sync {
    /// A state of a copied noun; called for every version that is newer than all before it.
    async fn apply(&self, tx: &mut crate::Tx, fact: &Fact) -> Result<(), Fault>;

    /// Nouns whose events are heard.
    fn events(&self) -> &'static [&'static str] {
        &[]
    }

    /// An event of such a noun; takes effect once for each, in any order.
    async fn hear(&self, _: &mut crate::Tx, fact: &Fact) -> Result<(), Fault> {
        Err(Fault::internal(format!("nobody hears {}", fact.subject())))
    }
}

/// Follows one log into a room.
pub struct Reader {
    /// Room whose log it is.
    pub source: &'static str,
    /// Its log.
    pub log: Arc<dyn Log>,
    /// Where effects are told in turn.
    pub outbox: Outbox,
    /// Who is told what arrived.
    pub copies: Copies,
    /// What to do.
    pub handler: Arc<dyn Handler>,
}

impl Reader {
    /// Follows the log for as long as the house stands.
    pub fn start(self, tasks: &Tasks) {
        let reader = Arc::new(self);
        tasks.supervise("log reader", move || follow(reader.clone()));
    }

    async fn position(&self) -> Result<i64, Fault> {
        let db = self.outbox.db();
        let row = db.fetch_optional::<(i64,)>(FIND_POSITION, args![self.source]).await?;
        Ok(row.unwrap_or_default().0)
    }

    /// Takes in one entry; false when another process of this room was there first.
    async fn take(&self, entry: &Entry) -> Result<bool, Fault> {
        let mut tx = self.outbox.begin().await?;
        let row = tx.fetch_optional::<(i64,)>(LOCK_POSITION, args![self.source]).await?;
        if row.unwrap_or_default().0 >= entry.position {
            return Ok(false);
        }
        let fact = &entry.fact;
        let noun = fact.noun.as_str();
        match fact.kind {
            Kind::State if self.copies.nouns().contains(&noun) => {
                let args = args![noun, fact.aggregate, fact.version];
                if tx.execute(TAKE_VERSION, args).await? == 1 {
                    self.handler.apply(&mut tx, fact).await?;
                }
            }
            Kind::Event if self.handler.events().contains(&noun) => {
                self.handler.hear(&mut tx, fact).await?;
            }
            _ => {}
        }
        tx.execute(SET_POSITION, args![self.source, entry.position]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes in one entry, trying again with growing pauses; a defect is passed over after five
    /// tries and logged, so that one bad fact does not stop all others.
    async fn take_patiently(&self, entry: &Entry) {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let fault = match self.take(entry).await {
                Ok(_) => return,
                Err(fault) => fault,
            };
            if !fault.code().is_retryable() {
                tries += 1;
            }
            let fact = &entry.fact;
            if tries >= TRIES {
                tracing::error!(error = %fault, subject = fact.subject(), version = fact.version, "fact passed over");
                self.pass_over(entry).await;
                return;
            }
            tracing::warn!(error = %fault, subject = fact.subject(), "fact not taken in; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn pass_over(&self, entry: &Entry) {
        let skip = async {
            let mut tx = self.outbox.begin().await?;
            tx.fetch_optional::<(i64,)>(LOCK_POSITION, args![self.source]).await?;
            tx.execute(SET_POSITION, args![self.source, entry.position]).await?;
            tx.commit().await
        };
        if let Err(error) = skip.await {
            tracing::warn!(%error, "position could not be kept; the fact will be met again");
        }
    }
}

async fn follow(reader: Arc<Reader>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let step = async {
            let position = reader.position().await?;
            let entries = reader.log.read(position, BATCH).await?;
            if entries.is_empty() {
                reader.log.wait(position, WAIT).await?;
            }
            for entry in &entries {
                reader.take_patiently(entry).await;
                reader.copies.arrived_some();
            }
            Ok::<_, Fault>(())
        };
        match step.await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(fault) => {
                tracing::warn!(error = %fault, source = reader.source, "log could not be read; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
