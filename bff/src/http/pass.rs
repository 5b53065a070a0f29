//! What lets a socket or stream stay open: a token that is still good, and a house that is not stopping.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// Tells whether a token is still good, from memory alone.
pub type StillGood = Arc<dyn Fn() -> bool + Send + Sync>;

/// Whose a socket or stream is, and until when.
#[derive(Clone, Default)]
pub(super) struct Pass {
    pub caller: Option<Arc<str>>,
    pub expires_at: Option<Instant>,
    pub still_good: Option<StillGood>,
}

impl Pass {
    /// Ends when the token does: at its time, or within `recheck` once it was revoked.
    pub(super) async fn ended(&self, recheck: Duration) {
        let expired = async {
            match self.expires_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let revoked = async {
            match &self.still_good {
                Some(still_good) => {
                    while still_good() {
                        sleep(recheck).await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = expired => {}
            () = revoked => {}
        }
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Somewhere within a span, so that clients told to leave together do not come back together.
pub(super) fn jittered(span: Duration) -> Duration {
    let parts = (uuid::Uuid::new_v4().as_u128() >> 96) as u32;
    span.mul_f64(f64::from(parts) / f64::from(u32::MAX))
}
