//! Dead letters: facts that always fail, kept until they succeed or a newer state takes their place, and
//! messages that are no facts, kept for whoever looks into it.

use std::fmt::Write as _;

use moim_kit::bus::{Fact, Refusal};
use moim_kit::{Fault, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::args;
use crate::facts::FactRow;
use crate::pool::Db;
use crate::tx::Tx;

/// It failed every time it was tried; it is tried again by the reconciler.
pub(crate) const FAILED: &str = "FACT_FAILED";
/// It is older than what the inbox remembers.
pub(crate) const ANCIENT: &str = "FACT_ANCIENT";

/// Of a message that is no fact, so much is kept.
const KEPT_BYTES: usize = 4_096;
const AT_ONCE: i64 = 100;

const INSERT: &str = "
INSERT INTO dead_letter (id, noun, aggregate_id, version, payload, trace, created_at_us, kind, topic,
    source, code, error, tries, died_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)
ON CONFLICT (id) DO UPDATE SET tries = dead_letter.tries + 1, error = excluded.error";
const SUPERSEDE: &str = "
DELETE FROM dead_letter WHERE aggregate_id = $1 AND noun = $2 AND kind = 'state' AND version <= $3";
const REMOVE: &str = "DELETE FROM dead_letter WHERE id = $1";
const LIST: &str = "
SELECT id, noun, aggregate_id, version, payload, trace, created_at_us, kind, topic
FROM dead_letter WHERE source = $1 AND code = 'FACT_FAILED' ORDER BY version, id LIMIT $2";

/// Keeps a fact that could not take effect.
pub(crate) async fn insert(
    tx: &mut Tx,
    source: &str,
    fact: &Fact,
    code: &str,
    error: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let (subject, version) = (fact.subject(), fact.version);
    tracing::error!(source, code, error, subject, version, "fact put aside");
    let args = args![
        fact.id,
        fact.noun.as_str(),
        fact.aggregate,
        fact.version,
        fact.payload.to_vec(),
        fact.trace.as_str(),
        fact.at,
        fact.kind.word(),
        fact.topic,
        source,
        code,
        error,
        now,
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Keeps the beginning of a message that is no fact; a repetition is kept once.
pub(crate) async fn refuse(
    tx: &mut Tx,
    source: &str,
    refusal: Refusal,
    subject: &str,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), Fault> {
    let code = refusal.code();
    tracing::error!(source, code, subject, "message refused");
    let mut id = String::new();
    for byte in Sha256::new().chain_update(subject).chain_update(bytes).finalize() {
        let _ = write!(id, "{byte:02x}");
    }
    let kept = bytes[..bytes.len().min(KEPT_BYTES)].to_vec();
    let words: String = subject.chars().take(200).collect();
    let args = args![id, "", "", 0_i64, kept, "", now, "", None::<Uuid>, source, code, words, now];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Forgets older states of an aggregate, for a newer one took effect.
pub(crate) async fn supersede(tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
    tx.execute(SUPERSEDE, args![fact.aggregate, fact.noun.as_str(), fact.version]).await?;
    Ok(())
}

/// Forgets a dead letter; false when it was gone already.
pub(crate) async fn remove(tx: &mut Tx, id: Uuid) -> Result<bool, Fault> {
    Ok(tx.execute(REMOVE, args![id]).await? == 1)
}

/// Those of a source that are worth another try.
pub(crate) async fn list(db: &Db, source: &str) -> Result<Vec<Fact>, Fault> {
    let rows: Vec<FactRow> = db.fetch_all(LIST, args![source, AT_ONCE]).await?;
    rows.into_iter().map(Fact::try_from).collect()
}
