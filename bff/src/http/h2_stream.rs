//! HTTP/2 streams as tasks of their own, given up once their reader takes nothing any more.
//!
//! A peer that reads some streams and leaves another lying keeps the pace of its connection, so each
//! stream is watched by itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::task::Tasks;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

tokio::task_local! {
    static CURRENT: Arc<Taking>;
}

/// Whether the reader of a stream takes what it gets.
pub(super) struct Taking {
    /// Since when something has been lying there.
    since: Mutex<Option<Instant>>,
    within: Duration,
}

impl Taking {
    /// Of the stream whose task this is, if it is one.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// More is asked for, so nothing is lying there.
    pub(super) fn asked(&self) {
        *self.since.lock() = None;
    }

    /// Something was given, and more is asked for only once there is room for it.
    pub(super) fn gave(&self) {
        *self.since.lock() = Some(Instant::now());
    }

    async fn stalled(&self) {
        loop {
            let now = Instant::now();
            let until = self.since.lock().unwrap_or(now) + self.within;
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Runs streams; one that is given up is reset, and what it held is free again.
#[derive(Clone)]
pub(super) struct Spawner {
    pub tasks: Tasks,
    /// For a reader to take anything of an answer.
    pub write: Duration,
}

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let taking = Arc::new(Taking { since: Mutex::default(), within: self.write });
        let watched = Arc::clone(&taking);
        self.tasks.spawn("http stream", async move {
            tokio::select! {
                biased;
                () = CURRENT.scope(taking, future) => {}
                () = watched.stalled() => tracing::debug!("the reader of a stream stalled"),
            }
        });
    }
}
