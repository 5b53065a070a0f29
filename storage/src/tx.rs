//! A transaction that carries the facts it causes: they leave with the commit or not at all.

use std::fmt;
use std::sync::Arc;

use moim_kit::bus::{Fact, Kind};
use moim_kit::metrics::{self, Catalogue};
use moim_kit::seen::Mark;
use moim_kit::{Clock, Timestamp};
use prost::Message;
use sqlx::{Postgres, Sqlite, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::args;
use crate::args::Arg;
use crate::error::Error;
use crate::measured::Measured;
use crate::pool::{Db, NOW};
use crate::query::{Row, Statement};
use crate::spans::Telling;

/// An open transaction; dropped, it is rolled back.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    facts: Vec<Fact>,
    telling: Telling,
    published: Option<Arc<Notify>>,
    measured: Measured,
    counts: Counts,
}

type Count = Box<dyn FnOnce(&Catalogue) + Send>;

/// What is counted once it is committed.
#[derive(Default)]
struct Counts(Vec<Count>);

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counts").field(&self.0.len()).finish()
    }
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

const INSERT_OUTBOX: &str = "
INSERT INTO outbox (id, noun, aggregate_id, version, payload, trace, created_at_us, kind, topic)
VALUES ";
/// Most facts of one statement.
const AT_ONCE: usize = 128;

impl Tx {
    pub(crate) async fn begin(db: &Db) -> Result<Self, Error> {
        let measured = db.measured();
        let running = measured.begin("BEGIN");
        let begun = match db {
            // A transaction that only later becomes a writer could meet another and fail.
            Db::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite)
            }
            Db::Postgres(pool, _) => pool.begin().await.map(Inner::Postgres),
        };
        Ok(Self {
            inner: running.end(begun.map_err(Error::from))?,
            facts: Vec::new(),
            telling: Telling::default(),
            published: None,
            measured,
            counts: Counts::default(),
        })
    }

    pub(crate) fn wakes(mut self, relay: Arc<Notify>) -> Self {
        self.published = Some(relay);
        self
    }

    /// Has something counted with the commit, when anybody wants to know.
    pub fn count(&mut self, count: impl FnOnce(&Catalogue) + Send + 'static) {
        if metrics::catalogue().is_some() {
            self.counts.0.push(Box::new(count));
        }
    }

    /// Runs a statement; answers how many rows it changed.
    pub async fn execute(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, Error> {
        let query = Statement::new(sql, args);
        let running = self.measured.begin(sql);
        let changed = match &mut self.inner {
            Inner::Sqlite(tx) => {
                query.sqlite().execute(&mut **tx).await.map(|it| it.rows_affected())
            }
            Inner::Postgres(tx) => {
                query.postgres().execute(&mut **tx).await.map(|it| it.rows_affected())
            }
        };
        running.end(changed.map_err(Error::from))
    }

    /// Rows of a query or of a `RETURNING`.
    pub async fn fetch_all<R: Row>(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<R>, Error> {
        self.run_all(sql, Statement::new(sql, args)).await
    }

    /// Rows of a query with a list in the place of `{ids}`, numbered after the other values.
    pub async fn fetch_in<R: Row>(
        &mut self,
        sql: &str,
        args: Vec<Arg>,
        list: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        self.run_all(sql, Statement::with_list(sql, args, list)).await
    }

    /// The first row of a query or of a `RETURNING`, if there is one.
    pub async fn fetch_optional<R: Row>(
        &mut self,
        sql: &str,
        args: Vec<Arg>,
    ) -> Result<Option<R>, Error> {
        let query = Statement::new(sql, args);
        let running = self.measured.begin(sql);
        let fetched = match &mut self.inner {
            Inner::Sqlite(tx) => query.sqlite_as().fetch_optional(&mut **tx).await,
            Inner::Postgres(tx) => query.postgres_as().fetch_optional(&mut **tx).await,
        };
        running.end(fetched.map_err(Error::from))
    }

    async fn run_all<R: Row>(&mut self, sql: &str, query: Statement) -> Result<Vec<R>, Error> {
        let running = self.measured.begin(sql);
        let fetched = match &mut self.inner {
            Inner::Sqlite(tx) => query.sqlite_as().fetch_all(&mut **tx).await,
            Inner::Postgres(tx) => query.postgres_as().fetch_all(&mut **tx).await,
        };
        running.end(fetched.map_err(Error::from))
    }

    /// The instant by the database's clock, which all processes of a room share, moved as `clock` is.
    pub async fn now(&mut self, clock: &Clock) -> Result<Timestamp, Error> {
        if let Inner::Sqlite(_) = self.inner {
            return Ok(clock.now());
        }
        let row = self.fetch_optional::<(i64,)>(NOW, Vec::new()).await?;
        Ok(Timestamp::from_us(row.unwrap_or_default().0.saturating_add(clock.offset_us())))
    }

    /// Tells the whole public state of an aggregate at a version; it leaves with the commit.
    /// Told twice in one transaction, the later state counts.
    pub fn tell(
        &mut self,
        noun: &str,
        aggregate: Uuid,
        version: i64,
        state: &impl Message,
        trace: &str,
        at: Timestamp,
    ) {
        self.put(Fact {
            id: Uuid::now_v7(),
            kind: Kind::State,
            noun: noun.to_owned(),
            aggregate,
            version,
            payload: state.encode_to_vec().into(),
            trace: trace.to_owned(),
            at,
            topic: None,
        });
    }

    /// Tells something that happened to an aggregate, at most once per version; live readers of
    /// `topic` hear it at once.
    #[allow(clippy::too_many_arguments, reason = "they are a fact's fields")]
    pub fn tell_event(
        &mut self,
        noun: &str,
        aggregate: Uuid,
        version: i64,
        topic: Option<Uuid>,
        event: &impl Message,
        trace: &str,
        at: Timestamp,
    ) {
        self.put(Fact {
            id: Uuid::now_v7(),
            kind: Kind::Event,
            noun: noun.to_owned(),
            aggregate,
            version,
            payload: event.encode_to_vec().into(),
            trace: trace.to_owned(),
            at,
            topic,
        });
    }

    fn put(&mut self, mut new: Fact) {
        self.facts.retain(|fact| {
            (fact.kind, fact.noun.as_str(), fact.aggregate, fact.version)
                != (new.kind, new.noun.as_str(), new.aggregate, new.version)
        });
        self.telling.begin(&mut new);
        self.facts.push(new);
        self.telling.keep(&self.facts);
    }

    /// What was told so far.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        marks(&self.facts)
    }

    /// Commits the state and its facts together; answers what was written, for the caller's seen token.
    pub async fn commit(mut self) -> Result<Vec<Mark>, Error> {
        let facts = std::mem::take(&mut self.facts);
        let mut left = facts.as_slice();
        while !left.is_empty() {
            // Powers of two, so that few distinct texts are prepared.
            let many = (left.len().min(AT_ONCE) + 1).next_power_of_two() / 2;
            let (now, later) = left.split_at(many);
            let (sql, args) = insert_outbox(now);
            self.execute(&sql, args).await?;
            left = later;
        }
        #[cfg(feature = "crash")]
        crate::crash::reach(crate::crash::Point::BeforeCommit, &facts);
        let running = self.measured.begin("COMMIT");
        let committed = match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        };
        running.end(committed.map_err(Error::from))?;
        self.telling.end();
        if let Some(catalogue) = metrics::catalogue() {
            self.counts.0.into_iter().for_each(|count| count(catalogue));
        }
        #[cfg(feature = "crash")]
        crate::crash::reach(crate::crash::Point::AfterCommit, &facts);
        if let Some(relay) = self.published.filter(|_| !facts.is_empty()) {
            relay.notify_one();
        }
        Ok(marks(&facts))
    }
}

/// One statement for some facts.
fn insert_outbox(facts: &[Fact]) -> (String, Vec<Arg>) {
    let (mut sql, mut args) = (INSERT_OUTBOX.to_owned(), Vec::new());
    for fact in facts {
        let row = args![
            fact.id,
            fact.noun.as_str(),
            fact.aggregate,
            fact.version,
            fact.payload.to_vec(),
            fact.trace.as_str(),
            fact.at,
            fact.kind.word(),
            fact.topic,
        ];
        let first = args.len() + 1;
        let places: Vec<_> = (first..first + row.len()).map(|place| format!("${place}")).collect();
        let comma = if args.is_empty() { "" } else { ", " };
        sql.push_str(&format!("{comma}({})", places.join(", ")));
        args.extend(row);
    }
    (sql, args)
}

/// Only states are copied, so only they can be waited for.
fn marks(facts: &[Fact]) -> Vec<Mark> {
    let states = facts.iter().filter(|fact| fact.kind == Kind::State);
    states.map(|fact| Mark::new(&fact.noun, fact.aggregate, fact.version, fact.at)).collect()
}
