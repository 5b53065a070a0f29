//! Spans of statements and of facts, by the semantic conventions for databases and messaging.

use std::time::Duration;

use moim_kit::Timestamp;
use moim_kit::bus::{Fact, Kind as FactKind};
use moim_kit::trace::{Kind, Recorded, Span, Trace};
use uuid::Uuid;

use crate::error::Error;

/// What is heard so long after it was told is of a copy that is being made anew: nobody looks at its trace any more.
const FRESH: Duration = Duration::from_secs(600);

/// The span of a statement, for as long as it runs.
pub(crate) fn statement(system: &'static str, sql: &str) -> Option<Span> {
    let mut span = Span::here(Kind::Client, "sql")?;
    span.record(|it| tell_statement(it, system, sql));
    Some(span)
}

/// It failed.
pub(crate) fn failed(span: &mut Span, error: &Error) {
    span.record(|it| tell_failure(it, error));
}

fn tell_statement(it: &mut Recorded, system: &'static str, sql: &str) {
    let (operation, collection) = summary(sql);
    it.set("db.system.name", system);
    it.set("db.operation.name", operation.to_owned());
    match collection {
        Some(collection) => {
            it.name(format!("{operation} {collection}"));
            it.set("db.collection.name", collection.to_owned());
        }
        None => it.name(operation.to_owned()),
    }
    if sql.len() > operation.len() {
        it.set("db.query.text", sql.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

fn tell_failure(it: &mut Recorded, error: &Error) {
    let code = error.database_code();
    if let Some(code) = &code {
        it.set("db.response.status_code", code.clone());
    }
    it.fail(code.unwrap_or_else(|| "database_unavailable".to_owned()));
}

/// The first word of a statement, and the table it is about.
fn summary(sql: &str) -> (&str, Option<&str>) {
    let mut words = sql.split_whitespace();
    let operation = words.next().unwrap_or_default();
    let before = match operation {
        "INSERT" => "INTO",
        "UPDATE" => return (operation, words.next().and_then(table)),
        _ => "FROM",
    };
    let mut collection = None;
    while let (None, Some(word)) = (collection, words.next()) {
        if word == before {
            collection = words.next().and_then(table);
        }
    }
    (operation, collection)
}

fn table(word: &str) -> Option<&str> {
    let end = word.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(word.len());
    // `FROM clock_timestamp())` and `FROM (SELECT` are about no table.
    Some(&word[..end]).filter(|name| !name.is_empty() && !word[end..].starts_with("()"))
}

/// The spans of facts that a transaction tells: they never were, unless it is committed.
#[derive(Debug, Default)]
pub(crate) struct Telling(Vec<(Uuid, Span)>);

impl Telling {
    /// Begins the span of a fact, which then names it as its cause.
    pub fn begin(&mut self, fact: &mut Fact) {
        let Some(cause) = cause(fact).filter(|cause| cause.is_sampled()) else { return };
        let mut span = Span::caused(cause, Kind::Producer, "tell");
        if span.is_recorded() {
            fact.trace = span.trace().to_string();
            span.record(|it| tell_fact(it, "tell", "create", fact));
            self.0.push((fact.id, span));
        }
    }

    /// Takes back those of facts that are not told after all.
    pub fn keep(&mut self, facts: &[Fact]) {
        for (_, span) in self.0.extract_if(.., |(id, _)| !facts.iter().any(|fact| fact.id == *id)) {
            span.discard();
        }
    }

    /// They are told.
    pub fn end(&mut self) {
        self.0.clear();
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|(_, span)| span.discard());
    }
}

/// The span of a fact on its way to the broker.
pub(crate) fn carrying(fact: &Fact, now: Timestamp) -> Option<Span> {
    let cause = fresh_cause(fact, now)?;
    let mut span = Span::of(cause, Kind::Producer, "carry");
    span.record(|it| {
        tell_fact(it, "carry", "send", fact);
        it.set("messaging.system", "nats");
    });
    Some(span).filter(Span::is_recorded)
}

/// A fact as a room hears it: its span, and the fact with that span as the cause of what it does.
pub(crate) fn hearing(room: &'static str, fact: &Fact, now: Timestamp) -> Option<(Span, Fact)> {
    let cause = fresh_cause(fact, now)?;
    let mut span = Span::of(cause, Kind::Consumer, "hear");
    if !span.is_recorded() {
        return None;
    }
    span.record(|it| {
        tell_fact(it, "hear", "process", fact);
        it.set("messaging.consumer.group.name", room);
    });
    let fact = Fact { trace: span.trace().to_string(), ..fact.clone() };
    Some((span, fact))
}

/// The span that a fact names as its cause.
pub(crate) fn cause(fact: &Fact) -> Option<Trace> {
    fact.trace.parse().ok()
}

fn fresh_cause(fact: &Fact, now: Timestamp) -> Option<Trace> {
    let is_fresh = fact.at >= now.before(FRESH);
    cause(fact).filter(|cause| is_fresh && cause.is_sampled())
}

fn tell_fact(it: &mut Recorded, name: &str, kind: &'static str, fact: &Fact) {
    it.name(format!("{name} {}", fact.noun));
    it.set("messaging.operation.name", name.to_owned());
    it.set("messaging.operation.type", kind);
    let stream = if fact.kind == FactKind::State { "state" } else { "event" };
    it.set("messaging.destination.name", format!("moim.{}.v1.{stream}", fact.noun));
    it.set("messaging.message.id", fact.id.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_verb_and_its_table() {
        for (sql, expected) in [
            ("\nSELECT a,\n b FROM outbox WHERE id = $1", ("SELECT", Some("outbox"))),
            ("INSERT INTO inbox_event(event_id) VALUES ($1)", ("INSERT", Some("inbox_event"))),
            ("UPDATE schedule SET x = $1", ("UPDATE", Some("schedule"))),
            ("DELETE FROM hold WHERE id = $1", ("DELETE", Some("hold"))),
            ("SELECT x FROM (SELECT y FROM deep) AS shallow", ("SELECT", Some("deep"))),
            ("SELECT CAST(1 AS BIGINT)", ("SELECT", None)),
            ("SELECT EXTRACT(EPOCH FROM clock_timestamp())", ("SELECT", None)),
            ("BEGIN", ("BEGIN", None)),
        ] {
            assert_eq!(summary(sql), expected, "{sql}");
        }
    }
}
