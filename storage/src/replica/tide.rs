//! How far the primary is: asked once for all who want to know, and now and then to sound the replica's depth.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

use super::place::{Place, SOUND_EVERY};
use crate::args;
use crate::error::Error;
use crate::pool::Db;

/// A commit that was answered is flushed, and what is flushed is what replicas are sent; unless the database
/// answers before it flushes.
const LOOK: &str = "
SELECT CAST(CAST(CAST('x' || LEFT(pg_walfile_name(lsn), 8) AS BIT(32)) AS INTEGER) AS BIGINT),
    CAST(lsn - '0/0'::pg_lsn AS BIGINT)
FROM (SELECT CASE WHEN current_setting('synchronous_commit') = 'off'
    THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS lsn) AS now";
const NOTE: &str = "INSERT INTO timeline (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
/// Whoever waits holds up an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// Whoever finds more waiting goes without.
const MOST_WAITING: usize = 4_096;

/// Those who want to know where the primary is; clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tide {
    waiting: Arc<Mutex<Vec<oneshot::Sender<Option<Place>>>>>,
    wake: Arc<Notify>,
}

impl Tide {
    /// Where the primary is by now, so that all that was committed before is behind it; nothing when it does not
    /// say so soon.
    pub async fn now(&self) -> Option<Place> {
        let (told, heard) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.len() >= MOST_WAITING {
                return None;
            }
            waiting.push(told);
        }
        self.wake.notify_one();
        timeout(2 * ANSWERED_WITHIN, heard).await.ok()?.ok()?
    }

    /// Answers for as long as the house stands; each place goes to `sound` with the instant it was asked for.
    pub async fn run(self, primary: Db, sound: impl Fn(Instant, Place)) {
        let (mut noted, mut next) = (0, Instant::now());
        loop {
            let _ = tokio::time::timeout_at(next, self.wake.notified()).await;
            // Taken before the question is put: what they have committed is in its answer.
            let waiting = std::mem::take(&mut *self.waiting.lock());
            let at = Instant::now();
            if waiting.is_empty() && at < next {
                continue;
            }
            next = at + SOUND_EVERY;
            let looked = timeout(ANSWERED_WITHIN, look(&primary)).await;
            let place = looked.ok().and_then(|looked| match looked {
                Ok(place) => place,
                Err(error) => {
                    tracing::debug!(%error, "the primary did not say where it is");
                    None
                }
            });
            for told in waiting {
                // Whoever does not wait any more has been answered otherwise.
                let _ = told.send(place);
            }
            let Some(place) = place else { continue };
            if place.timeline > noted && note(&primary, place.timeline).await.is_ok() {
                noted = place.timeline;
            }
            sound(at, place);
        }
    }
}

async fn look(primary: &Db) -> Result<Option<Place>, Error> {
    let found = primary.fetch_optional::<(i64, i64)>(LOOK, args![]).await?;
    Ok(found.and_then(|(timeline, lsn)| {
        Some(Place { timeline: u32::try_from(timeline).ok()?, lsn: u64::try_from(lsn).ok()? })
    }))
}

/// Written on the timeline itself, so that only what follows it has the row.
async fn note(primary: &Db, timeline: u32) -> Result<(), Error> {
    let mut tx = primary.begin().await?;
    tx.execute(NOTE, args![i64::from(timeline)]).await?;
    tx.commit().await?;
    Ok(())
}
