//! What happens by itself: reminders before schedules start, and forgetting what is too old.

use std::time::Duration;

use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Kind, Span, Trace};
use moim_kit::{Clock, Fault, Timestamp};
use uuid::Uuid;

use crate::events::notify;
use crate::rules::{self, Happening};
use crate::store::Store;

const REMIND_EVERY: Duration = Duration::from_millis(500);
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Reminds and forgets for as long as the house stands; any number of processes may.
pub fn start(tasks: &Tasks, store: Store, clock: Clock, lead_us: i64, kept: Duration) {
    let (reminding, time) = (store.clone(), clock.clone());
    tasks.supervise("reminders", move || {
        let (store, clock) = (reminding.clone(), time.clone());
        async move {
            loop {
                if let Err(fault) = remind(&store, &clock, lead_us).await {
                    tracing::warn!(error = %fault, "reminders could not be sent; later again");
                }
                tokio::time::sleep(REMIND_EVERY).await;
            }
        }
    });
    tasks.supervise("notification sweep", move || {
        let (store, clock) = (store.clone(), clock.clone());
        async move {
            loop {
                if let Err(fault) = forget(&store, clock.now().before(kept)).await {
                    tracing::warn!(error = %fault, "old notifications could not be swept; later again");
                }
                tokio::time::sleep(FORGET_EVERY).await;
            }
        }
    });
}

/// Reminds everybody who had a seat when the reminder was due, in one transaction and one trace per schedule.
async fn remind(store: &Store, clock: &Clock, lead_us: i64) -> Result<(), Fault> {
    for id in store.list_due(clock.now(), lead_us).await? {
        let span = Span::root(Kind::Internal, "remind");
        remind_of(store, clock, lead_us, id).within(span.trace()).await?;
    }
    Ok(())
}

async fn remind_of(store: &Store, clock: &Clock, lead_us: i64, id: Uuid) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.begin().await?;
    let Some(meetup) = store.claim(&mut tx, id, now, lead_us).await? else { return Ok(()) };
    let due = Timestamp::from_us(meetup.starts_at.us().saturating_sub(lead_us));
    let going = store.list_going(&mut tx, id).await?;
    let going = going.into_iter().filter(|(_, since)| rules::reminds(*since, due));
    let going = going.map(|(member, _)| member).collect();
    let cause = format!("reminder/{id}/{}", meetup.starts_at.us());
    let soon = Happening::Soon { meetup, going };
    notify(store, &mut tx, soon, &cause, &Trace::here().to_string(), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets what was sent before an instant, member by member in short transactions.
async fn forget(store: &Store, before: Timestamp) -> Result<(), Fault> {
    let mut last = None;
    loop {
        let stale = store.list_stale(before, last).await?;
        let Some(end) = stale.last() else { return Ok(()) };
        last = Some(*end);
        for member in stale {
            store.forget(member, before).await?;
        }
    }
}
