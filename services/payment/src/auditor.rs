//! Checks the ledger against itself, over and over: should money ever be lost, it is said at once.

use std::time::Duration;

use moim_kit::metrics;
use moim_kit::task::Tasks;
use moim_storage::Db;

use crate::store::audit;

/// Checks for as long as the house stands.
pub fn start(tasks: &Tasks, db: Db, every: Duration) {
    tasks.supervise("auditor", move || {
        let db = db.clone();
        async move {
            loop {
                match audit(&db).await {
                    Ok(wrong) => report(&wrong),
                    Err(fault) => {
                        tracing::warn!(error = %fault, "the ledger could not be checked; again later");
                    }
                }
                tokio::time::sleep(every).await;
            }
        }
    });
}

fn report(wrong: &[String]) {
    if let Some(catalogue) = metrics::catalogue() {
        let many = u64::try_from(wrong.len()).unwrap_or(u64::MAX);
        catalogue.ledger_breaches.record(many, &[metrics::room("payment")]);
    }
    if !wrong.is_empty() {
        tracing::error!(wrong = wrong.join("; "), "the ledger does not agree with itself");
    }
}
