//! Events that wait for the state they belong to, or behind one that failed.

use moim_kit::Fault;
use moim_kit::bus::Fact;
use uuid::Uuid;

use crate::args;
use crate::facts::FactRow;
use crate::tx::Tx;

const INSERT: &str = "
INSERT INTO inbox_parked (id, noun, aggregate_id, version, payload, trace, created_at_us, topic, source)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
const LIST: &str = "
SELECT id, noun, aggregate_id, version, payload, trace, created_at_us, 'event' AS kind, topic
FROM inbox_parked WHERE aggregate_id = $1 AND noun = $2 AND version <= $3 ORDER BY version, id";
const REMOVE: &str = "DELETE FROM inbox_parked WHERE id = $1";

/// Parks an event.
pub(crate) async fn insert(tx: &mut Tx, source: &str, fact: &Fact) -> Result<(), Fault> {
    let args = args![
        fact.id,
        fact.noun.as_str(),
        fact.aggregate,
        fact.version,
        fact.payload.to_vec(),
        fact.trace.as_str(),
        fact.at,
        fact.topic,
        source,
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Events of an aggregate up to a version, in order.
pub(crate) async fn list(
    tx: &mut Tx,
    noun: &str,
    aggregate: Uuid,
    version: i64,
) -> Result<Vec<Fact>, Fault> {
    let rows: Vec<FactRow> = tx.fetch_all(LIST, args![aggregate, noun, version]).await?;
    rows.into_iter().map(Fact::try_from).collect()
}

/// Forgets a parked event.
pub(crate) async fn remove(tx: &mut Tx, id: Uuid) -> Result<(), Fault> {
    tx.execute(REMOVE, args![id]).await?;
    Ok(())
}
