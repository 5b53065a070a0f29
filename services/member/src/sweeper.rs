//! Forgetting what is over: expired sessions with their tokens, failed log-ins past their window.

use std::time::Duration;

use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault};

use crate::model::Limit;
use crate::store::Store;

const EVERY: Duration = Duration::from_secs(3_600);

/// Expired sessions stay so long, so that what is revoked stays listed and clocks may be apart.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// Sweeps for as long as the house stands.
pub(crate) fn start(tasks: &Tasks, store: Store, clock: Clock, limit: Limit) {
    tasks.supervise("session sweep", move || {
        let (store, clock) = (store.clone(), clock.clone());
        async move {
            loop {
                if let Err(fault) = sweep(&store, &clock, limit).await {
                    tracing::warn!(error = %fault, "sessions could not be swept; later again");
                }
                tokio::time::sleep(EVERY).await;
            }
        }
    });
}

async fn sweep(store: &Store, clock: &Clock, limit: Limit) -> Result<(), Fault> {
    let now = clock.now();
    store.sweep_failures(limit, now).await?;
    // In short transactions, so that log-ins go on meanwhile.
    while store.sweep_sessions(now.before(KEPT)).await? > 0 {}
    Ok(())
}
