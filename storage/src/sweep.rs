//! Forgetting what nobody needs any more: told facts, old answers, events heard long ago.

use std::time::Duration;

use moim_kit::Clock;

use crate::args;
use crate::error::Error;
use crate::pool::Db;

/// Facts told are kept at least so long, and the newest state of each aggregate for ever.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Events heard are remembered so long: those told at the end of their week on the outbox stay for
/// another week on the broker.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(15 * 24 * 3_600);
/// Answers of idempotent mutations are kept so long.
const KEYS_KEPT: Duration = Duration::from_secs(24 * 3_600);
const EVERY: Duration = Duration::from_secs(3_600);

/// A room that has told nothing to a broker for so long is taken to have given it up.
const CARRIED_WITHIN: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What the broker has not got yet stays, however long it is down.
const SWEEP: &str = "
DELETE FROM outbox WHERE position IS NOT NULL AND created_at_us < $1 AND (kind = 'event' OR EXISTS (
    SELECT 1 FROM outbox AS newer
    WHERE newer.noun = outbox.noun AND newer.kind = 'state'
      AND newer.aggregate_id = outbox.aggregate_id AND newer.version > outbox.version))
  AND NOT EXISTS (
    SELECT 1 FROM bus_cursor
    WHERE bus_cursor.holder <> '' AND bus_cursor.until_us >= $2
      AND bus_cursor.position < outbox.position)";
const SWEEP_KEYS: &str = "DELETE FROM idempotency WHERE created_at_us < $1";
const SWEEP_EVENTS: &str = "DELETE FROM inbox_event WHERE at_us < $1";
const SWEEP_DEAD: &str = "DELETE FROM dead_letter WHERE code <> 'FACT_FAILED' AND died_at_us < $1";

/// Sweeps at once and then every hour.
pub(crate) async fn sweep(db: Db, clock: Clock) {
    loop {
        if let Err(error) = sweep_once(&db, &clock).await {
            tracing::warn!(%error, "old rows could not be swept; trying again later");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn sweep_once(db: &Db, clock: &Clock) -> Result<(), Error> {
    let now = clock.now();
    let mut tx = db.begin().await?;
    tx.execute(SWEEP, args![now.before(KEPT), now.before(CARRIED_WITHIN)]).await?;
    tx.execute(SWEEP_KEYS, args![now.before(KEYS_KEPT)]).await?;
    tx.execute(SWEEP_EVENTS, args![now.before(REMEMBERED)]).await?;
    tx.execute(SWEEP_DEAD, args![now.before(REMEMBERED)]).await?;
    tx.commit().await?;
    Ok(())
}
