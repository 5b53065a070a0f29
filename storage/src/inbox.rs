//! Taking facts in: effect, version or event id, and position are committed together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use moim_kit::bus::{Fact, Kind, Refusal};
use moim_kit::metrics::label::OTHER;
use moim_kit::metrics::{self, Catalogue, Counter, KeyValue};
use moim_kit::trace::{InTrace as _, Trace};
use moim_kit::{Fault, Timestamp};
use uuid::Uuid;

use crate::args;
use crate::args::Arg;
use crate::copies::Copies;
use crate::dead_letter::{self, ANCIENT, FAILED};
use crate::outbox::Outbox;
use crate::parked;
use crate::reader::Handler;
use crate::spans;
use crate::sweep::REMEMBERED;
use crate::tx::Tx;

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
const TAKE_EVENT: &str =
    "INSERT INTO inbox_event (event_id, at_us) VALUES ($1, $2) ON CONFLICT (event_id) DO NOTHING";
/// How far copies are.
pub(crate) const LIST_VERSIONS: &str =
    "SELECT noun, aggregate_id, version FROM inbox WHERE aggregate_id IN ({ids})";
const LIST_PARKED: &str =
    "SELECT DISTINCT noun, aggregate_id FROM inbox_parked WHERE aggregate_id IN ({ids})";
const LIST_DEAD: &str = "
SELECT DISTINCT noun, aggregate_id, kind FROM dead_letter
WHERE code = 'FACT_FAILED' AND aggregate_id IN ({ids})";

/// What came: a fact at its place in a log or from a broker, or something that is none.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub position: Option<i64>,
    pub subject: String,
    pub content: Result<Fact, (Refusal, Bytes)>,
}

/// Why a batch was not taken in, and which fact is to blame when one is.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub fault: Fault,
    pub culprit: Option<Fact>,
}

impl<E: Into<Fault>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self { fault: error.into(), culprit: None }
    }
}

fn blame(fact: &Fact) -> impl FnOnce(Fault) -> Trouble {
    move |fault| Trouble { fault, culprit: Some(fact.clone()) }
}

/// Where facts of one source arrive in a room.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub source: &'static str,
    pub outbox: Outbox,
    pub copies: Copies,
    pub handler: Arc<dyn Handler>,
}

type Aggregate = (String, Uuid);

/// What is known of the aggregates of a batch before it is taken in.
#[derive(Default)]
struct Known {
    versions: HashMap<Aggregate, i64>,
    parked: HashSet<Aggregate>,
    dead: HashSet<(Aggregate, Kind)>,
}

impl Inbox {
    /// Takes in facts in their order, in one transaction. Those at a position that another process of
    /// this room has passed are left out.
    pub async fn take(&self, arrivals: &[Arrival]) -> Result<(), Trouble> {
        let began = metrics::now();
        let taken = self.take_in(arrivals).await;
        if let Some((catalogue, began)) = metrics::catalogue().zip(began) {
            // What a broker delivers has no position.
            let by_position = arrivals.iter().any(|it| it.position.is_some());
            let [room, source] = metrics::hearing(self.outbox.room(), self.source);
            let system = if by_position { "outbox" } else { "nats" };
            let system = KeyValue::new("messaging.system", system);
            let operation = KeyValue::new("messaging.operation.name", "process");
            let mut labels = vec![system, operation, room, source];
            labels.extend(taken.is_err().then(|| KeyValue::new("error.type", OTHER)));
            catalogue.processed.record(metrics::seconds(began), &labels);
        }
        taken
    }

    async fn take_in(&self, arrivals: &[Arrival]) -> Result<(), Trouble> {
        let mut tx = self.outbox.begin().await?;
        let passed = self.lock(&mut tx).await?;
        let now = self.outbox.clock().now();
        let new = |it: &&Arrival| it.position.is_none_or(|position| position > passed);
        let new: Vec<&Arrival> = arrivals.iter().filter(new).collect();
        let mut known = self.know(&mut tx, &new).await?;
        for arrival in &new {
            match &arrival.content {
                Ok(fact) => {
                    let remembers = arrival.position.is_some();
                    self.take_fact(&mut tx, &mut known, fact, remembers, now).await?;
                }
                Err((refusal, bytes)) => {
                    let subject = &arrival.subject;
                    dead_letter::refuse(&mut tx, self.source, *refusal, subject, bytes, now)
                        .await?;
                }
            }
        }
        if let Some(position) = new.iter().filter_map(|it| it.position).max() {
            tx.execute(SET_POSITION, args![self.source, position]).await?;
        }
        tx.commit().await?;
        self.count(|catalogue| &catalogue.taken, new.len());
        Ok(())
    }

    /// Adds to what is measured of this room's hearing of the source.
    pub fn count(&self, which: fn(&Catalogue) -> &Counter<u64>, many: usize) {
        if let Some(catalogue) = metrics::catalogue() {
            let labels = metrics::hearing(self.outbox.room(), self.source);
            which(catalogue).add(u64::try_from(many).unwrap_or_default(), &labels);
        }
    }

    /// Puts a fact aside that always fails, and takes note that it came.
    pub async fn bury(
        &self,
        fact: &Fact,
        code: &str,
        fault: &Fault,
        position: Option<i64>,
    ) -> Result<(), Fault> {
        let mut tx = self.outbox.begin().await?;
        self.lock(&mut tx).await?;
        let now = self.outbox.clock().now();
        dead_letter::insert(&mut tx, self.source, fact, code, &fault.to_string(), now).await?;
        parked::remove(&mut tx, fact.id).await?;
        if let Some(position) = position {
            tx.execute(SET_POSITION, args![self.source, position]).await?;
        }
        tx.commit().await?;
        self.count(|catalogue| &catalogue.buried, 1);
        Ok(())
    }

    /// Takes a dead letter once more; it is gone when that succeeds, and what waited behind it goes on.
    pub async fn revive(&self, fact: &Fact) -> Result<(), Trouble> {
        let mut tx = self.outbox.begin().await?;
        self.lock(&mut tx).await?;
        if !dead_letter::remove(&mut tx, fact.id).await? {
            return Ok(());
        }
        let arrival =
            Arrival { position: None, subject: fact.subject(), content: Ok(fact.clone()) };
        let mut known = self.know(&mut tx, &[&arrival]).await?;
        let now = self.outbox.clock().now();
        self.take_fact(&mut tx, &mut known, fact, true, now).await?;
        let of = (fact.noun.clone(), fact.aggregate);
        self.release(&mut tx, &mut known, &of).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Processes of one room take turns, so that none waits for the other's aggregates in a circle.
    async fn lock(&self, tx: &mut Tx) -> Result<i64, Fault> {
        let row = tx.fetch_optional::<(i64,)>(LOCK_POSITION, args![self.source]).await?;
        Ok(row.unwrap_or_default().0)
    }

    async fn know(&self, tx: &mut Tx, arrivals: &[&Arrival]) -> Result<Known, Fault> {
        let facts = arrivals.iter().filter_map(|it| it.content.as_ref().ok());
        let facts: Vec<&Fact> = facts.filter(|fact| self.concerns(fact)).collect();
        let mut known = Known::default();
        let ids: HashSet<Uuid> = facts.iter().map(|fact| fact.aggregate).collect();
        let ids: Vec<Arg> = ids.into_iter().map(Arg::from).collect();
        let aggregate = |noun: String, id: String| -> Result<Aggregate, Fault> {
            Ok((noun, id.parse().map_err(Fault::internal)?))
        };
        if facts.iter().any(|fact| fact.kind == Kind::Event) {
            let rows = tx.fetch_in::<(String, String, i64)>(LIST_VERSIONS, vec![], ids.clone());
            for (noun, id, version) in rows.await? {
                known.versions.insert(aggregate(noun, id)?, version);
            }
        }
        for (noun, id) in tx.fetch_in(LIST_PARKED, vec![], ids.clone()).await? {
            known.parked.insert(aggregate(noun, id)?);
        }
        let rows = tx.fetch_in::<(String, String, String)>(LIST_DEAD, vec![], ids);
        for (noun, id, kind) in rows.await? {
            if let Some(kind) = Kind::from_word(&kind) {
                known.dead.insert((aggregate(noun, id)?, kind));
            }
        }
        Ok(known)
    }

    fn copies(&self, fact: &Fact) -> bool {
        self.copies.nouns().contains(&fact.noun.as_str())
    }

    fn concerns(&self, fact: &Fact) -> bool {
        match fact.kind {
            Kind::State => self.copies(fact),
            Kind::Event => self.handler.events().contains(&fact.noun.as_str()),
        }
    }

    async fn take_fact(
        &self,
        tx: &mut Tx,
        known: &mut Known,
        fact: &Fact,
        remembers: bool,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        if !self.concerns(fact) {
            return Ok(());
        }
        let of = (fact.noun.clone(), fact.aggregate);
        match fact.kind {
            Kind::State => self.take_state(tx, known, fact, of).await,
            // Whether it was heard has been forgotten; hearing it might be once too often.
            Kind::Event if !remembers && fact.at < now.before(REMEMBERED) => {
                let why = "older than what is remembered of events";
                Ok(dead_letter::insert(tx, self.source, fact, ANCIENT, why, now).await?)
            }
            Kind::Event => {
                let version = known.versions.get(&of).copied().unwrap_or_default();
                let is_early = self.copies(fact) && version < fact.version;
                if is_early || known.dead.contains(&(of.clone(), Kind::Event)) {
                    known.parked.insert(of);
                    Ok(parked::insert(tx, self.source, fact).await?)
                } else {
                    self.hear(tx, fact).await
                }
            }
        }
    }

    async fn take_state(
        &self,
        tx: &mut Tx,
        known: &mut Known,
        fact: &Fact,
        of: Aggregate,
    ) -> Result<(), Trouble> {
        let args = args![fact.noun.as_str(), fact.aggregate, fact.version];
        if tx.execute(TAKE_VERSION, args).await? == 0 {
            return Ok(());
        }
        self.effect(tx, fact).await?;
        known.versions.insert(of.clone(), fact.version);
        if known.dead.remove(&(of.clone(), Kind::State)) {
            dead_letter::supersede(tx, fact).await?;
        }
        self.release(tx, known, &of).await
    }

    /// Hears what was parked of an aggregate and need not wait any longer.
    async fn release(&self, tx: &mut Tx, known: &mut Known, of: &Aggregate) -> Result<(), Trouble> {
        let is_dead = known.dead.contains(&(of.clone(), Kind::Event));
        if !known.parked.contains(of) || is_dead {
            return Ok(());
        }
        let copied = self.copies.nouns().contains(&of.0.as_str());
        let version =
            if copied { known.versions.get(of).copied().unwrap_or_default() } else { i64::MAX };
        for fact in parked::list(tx, &of.0, of.1, version).await? {
            self.hear(tx, &fact).await?;
            parked::remove(tx, fact.id).await?;
        }
        Ok(())
    }

    async fn hear(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Trouble> {
        if tx.execute(TAKE_EVENT, args![fact.id, fact.at]).await? == 1 {
            self.effect(tx, fact).await?;
        }
        Ok(())
    }

    /// What the room does about a fact, as part of the trace that caused it.
    async fn effect(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Trouble> {
        let now = self.outbox.clock().now();
        let Some((mut span, heard)) = spans::hearing(self.outbox.room(), fact, now) else {
            let within = spans::cause(fact).map(Trace::unsent);
            return self.handle(tx, fact).within(within).await.map_err(blame(fact));
        };
        let done = self.handle(tx, &heard).within(span.trace()).await;
        if let Err(fault) = &done {
            span.record(|it| it.fail(fault.reason().to_owned()));
        }
        done.map_err(blame(fact))
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        match fact.kind {
            Kind::State => self.handler.apply(tx, fact).await,
            Kind::Event => self.handler.hear(tx, fact).await,
        }
    }
}

/// The code a fact is buried under; what cannot be read is not worth another try.
pub(crate) fn code_of(fault: &Fault) -> &'static str {
    if fault.is_caused_by::<prost::DecodeError>() { Refusal::Undecodable.code() } else { FAILED }
}
