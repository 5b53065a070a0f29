//! What happens by itself: seats held too long are released, and passed on to the line.

use std::time::Duration;

use moim_kit::id::{AttendanceId, ScheduleId};
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Kind, Span};
use moim_kit::{Clock, Fault};

use crate::events;
use crate::store::Store;

/// Releases for as long as the house stands; any number of processes may.
pub fn start(tasks: &Tasks, store: Store, clock: Clock, every: Duration) {
    tasks.supervise("holds", move || {
        let (store, clock) = (store.clone(), clock.clone());
        async move {
            loop {
                if let Err(fault) = sweep(&store, &clock).await {
                    tracing::warn!(error = %fault, "holds could not be looked through; later again");
                }
                tokio::time::sleep(every).await;
            }
        }
    });
}

/// Releases every hold that has run out, in one short transaction per schedule.
pub async fn sweep(store: &Store, clock: &Clock) -> Result<(), Fault> {
    for (schedule, ids) in store.list_due(store.now(clock).await?).await? {
        // One schedule that cannot be written must not keep the holds of others.
        if let Err(fault) = release(store, clock, schedule, ids).await {
            tracing::warn!(error = %fault, %schedule, "holds could not be released; later again");
        }
    }
    Ok(())
}

/// Releases holds of one schedule, as far as nobody else has.
pub async fn release(
    store: &Store,
    clock: &Clock,
    schedule: ScheduleId,
    ids: Vec<AttendanceId>,
) -> Result<(), Fault> {
    let span = Span::root(Kind::Internal, "release holds");
    let work = async {
        let mut tx = store.begin().await?;
        let schedule = store.lock_schedule(&mut tx, schedule).await?;
        let now = tx.now(clock).await?;
        if let Some(outcome) = store.release(&mut tx, schedule, ids, now).await? {
            events::tell_outcome(&mut tx, &outcome, None, &span.trace().to_string(), now);
            tx.commit().await?;
        }
        Ok(())
    };
    work.within(span.trace()).await
}
