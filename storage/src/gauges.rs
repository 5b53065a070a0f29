//! What stands in a room's tables and waits, measured every few seconds while anybody wants to know.

use std::collections::HashMap;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::metrics::label::{DEATHS, one_of};
use moim_kit::metrics::{self, Gauge, KeyValue};

use crate::args;
use crate::pool::Db;
use crate::reader::Hearing;

const EVERY: Duration = Duration::from_secs(5);

const UNPUBLISHED: &str = "SELECT COUNT(*) FROM outbox WHERE position IS NULL";
/// Rooms that no broker was ever asked for have no identity of one.
const UNCARRIED: &str = "
SELECT outbox_head.position - bus_cursor.position FROM outbox_head, bus_cursor
WHERE outbox_head.id = 1 AND bus_cursor.id = 1 AND bus_cursor.holder <> ''";
const DEAD: &str = "SELECT source, code, COUNT(*) FROM dead_letter GROUP BY source, code";
const PARKED: &str = "SELECT source, '', COUNT(*) FROM inbox_parked GROUP BY source";

/// Measures a room's tables for as long as the house stands.
pub(crate) async fn run(db: Db, room: &'static str) {
    let (mut dead, mut parked) = (Group::default(), Group::default());
    loop {
        if let Err(error) = measure(&db, room, &mut dead, &mut parked).await {
            tracing::debug!(%error, room, "not measured");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Measures how far a room is behind one that it hears.
pub(crate) async fn run_lag(hearing: Hearing) {
    let (room, source) = (hearing.inbox.outbox.room(), hearing.inbox.source);
    loop {
        if let Some(catalogue) = metrics::catalogue() {
            match hearing.lag().await {
                Ok(Some(lag)) => catalogue.lag.record(lag, &metrics::hearing(room, source)),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, room, source, "not measured"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn measure(
    db: &Db,
    room: &'static str,
    dead: &mut Group,
    parked: &mut Group,
) -> Result<(), Fault> {
    let Some(catalogue) = metrics::catalogue() else { return Ok(()) };
    for (sql, gauge) in [(UNPUBLISHED, &catalogue.unpublished), (UNCARRIED, &catalogue.uncarried)] {
        if let Some((count,)) = db.fetch_optional::<(i64,)>(sql, args![]).await? {
            gauge.record(u64::try_from(count).unwrap_or_default(), &[metrics::room(room)]);
        }
    }
    dead.record(db, room, DEAD, &catalogue.dead_letters).await?;
    parked.record(db, room, PARKED, &catalogue.parked).await
}

/// Groups that were seen once; those that are gone are told as none.
#[derive(Default)]
struct Group(HashMap<(String, String), i64>);

impl Group {
    async fn record(
        &mut self,
        db: &Db,
        room: &'static str,
        sql: &str,
        gauge: &Gauge<u64>,
    ) -> Result<(), Fault> {
        let rows: Vec<(String, String, i64)> = db.fetch_all(sql, args![]).await?;
        self.0.values_mut().for_each(|count| *count = 0);
        self.0.extend(rows.into_iter().map(|(source, code, count)| ((source, code), count)));
        for ((source, code), count) in &self.0 {
            let mut labels = vec![metrics::room(room), KeyValue::new("source", source.clone())];
            if !code.is_empty() {
                labels.push(KeyValue::new("code", one_of(&DEATHS, code)));
            }
            gauge.record(u64::try_from(*count).unwrap_or_default(), &labels);
        }
        Ok(())
    }
}
