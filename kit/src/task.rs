//! Tasks that are known by name, stopped together and never lost silently.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::trace::InTrace as _;

/// The tasks of a room or of a whole house.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Told when everything is to stop.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Runs a task that ends by itself, or that watches [`Tasks::token`], in the trace of who starts it; a panic is
    /// logged.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        // Not an async block, which would hold the future twice: as it came and as it runs.
        let told = AssertUnwindSafe(future).catch_unwind().map(move |ended| {
            if let Err(panic) = ended {
                tracing::error!(task = name, panic = panic_text(&*panic), "task panicked");
            }
        });
        self.tracker.spawn(told.within_current());
    }

    /// Runs a task for as long as the house stands: when it panics or returns, it is started again
    /// after a pause that doubles from 100 ms to 10 s; it is dropped at stop.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn supervise<F>(&self, name: &'static str, mut start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        self.tracker.spawn(async move {
            let mut pause = Duration::from_millis(100);
            loop {
                let run = AssertUnwindSafe(start()).catch_unwind();
                let ended = token.run_until_cancelled(run).await;
                match ended {
                    None => return,
                    Some(Ok(())) => tracing::warn!(task = name, "task ended; starting it again"),
                    Some(Err(panic)) => {
                        tracing::error!(
                            task = name,
                            panic = panic_text(&*panic),
                            "task panicked; starting it again"
                        );
                    }
                }
                if token.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        });
    }

    /// Asks everything to stop and waits; false when some tasks were still running at the deadline.
    pub async fn stop(&self, deadline: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok()
    }
}

/// Work on a task of its own that is dropped when nobody waits for it any more.
#[derive(Debug)]
pub struct Scoped<T>(JoinHandle<T>);

/// Starts work on a task of its own, in the trace of who starts it.
#[allow(clippy::disallowed_methods, reason = "the one place that may")]
pub fn scoped<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Scoped<T> {
    Scoped(tokio::spawn(future.within_current()))
}

/// Work that ended without an answer.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A defect.
    #[error("the work panicked: {0}")]
    Panicked(String),
    /// The program is stopping.
    #[error("the work was cancelled")]
    Cancelled,
}

impl<T> Future for Scoped<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| {
            joined.map_err(|error| match error.try_into_panic() {
                Ok(panic) => Ended::Panicked(panic_text(&*panic).to_owned()),
                Err(_) => Ended::Cancelled,
            })
        })
    }
}

impl<T> Drop for Scoped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_supervised_task_is_started_again_after_a_panic_and_stops_when_asked() {
        let tasks = Tasks::new();
        let starts = Arc::new(AtomicU32::new(0));
        let count = starts.clone();
        tasks.supervise("fragile", move || {
            let n = count.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(n >= 2, "not yet");
                std::future::pending::<()>().await;
            }
        });
        while starts.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(tasks.stop(Duration::from_secs(1)).await);
    }

    #[tokio::test]
    async fn scoped_work_reports_its_panic() {
        let panicked = scoped(async { panic!("boom") }).await.map(|(): ()| ());
        assert!(panicked.unwrap_err().to_string().contains("boom"));
    }
}
