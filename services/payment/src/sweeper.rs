//! Looks at top-ups that nobody waits for any more, and forgets what is too old.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use moim_kit::Fault;
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Kind, Span};

use crate::till::Till;

const AT_ONCE: i64 = 100;
/// Mostly they wait for the provider.
const SIDE_BY_SIDE: usize = 16;
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// Far longer than a webhook is young enough to be read.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Looks for as long as the house stands; any number of processes may.
pub fn start(tasks: &Tasks, till: Arc<Till>, poll: Duration) {
    let looking = till.clone();
    tasks.supervise("top-ups", move || {
        let till = looking.clone();
        async move {
            loop {
                match sweep(&till).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(fault) => {
                        tracing::warn!(error = %fault, "top-ups could not be listed; again later");
                    }
                }
                let _ = tokio::time::timeout(poll, till.wake.notified()).await;
            }
        }
    });
    tasks.supervise("webhook sweep", move || {
        let till = till.clone();
        async move {
            loop {
                let before = till.clock.now().before(REMEMBERED);
                if let Err(fault) = till.store.forget_notices(before).await {
                    tracing::warn!(error = %fault, "old webhooks could not be swept; again later");
                }
                tokio::time::sleep(FORGET_EVERY).await;
            }
        }
    });
}

/// Looks at every top-up that is due; true when it is worth looking again at once.
async fn sweep(till: &Till) -> Result<bool, Fault> {
    let now = till.store.now(&till.clock).await?;
    let due = till.store.list_due_top_ups(now, AT_ONCE).await?;
    let looked = stream::iter(due).map(async |top_up| {
        let span = Span::root(Kind::Internal, "look at top-up");
        let look = async {
            match till.look(&top_up).await {
                Ok(()) => true,
                Err(fault) => {
                    tracing::warn!(top_up = %top_up.id, error = %fault, "a top-up could not go on");
                    false
                }
            }
        };
        look.within(span.trace()).await
    });
    let looked: Vec<bool> = looked.buffer_unordered(SIDE_BY_SIDE).collect().await;
    Ok(looked.contains(&true))
}
