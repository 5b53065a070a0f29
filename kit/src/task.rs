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
///
/// They end in three steps, each of which implies those before it: it is told that nobody else is to be sent here,
/// then guests go, and then everything stops.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    guests: TaskTracker,
    leaving: CancellationToken,
    parting: CancellationToken,
    token: CancellationToken,
}

impl Default for Tasks {
    fn default() -> Self {
        let token = CancellationToken::new();
        let parting = token.child_token();
        let leaving = parting.child_token();
        let (tracker, guests) = (TaskTracker::new(), TaskTracker::new());
        Self { tracker, guests, leaving, parting, token }
    }
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

    /// Told when others are to be told that this process goes; it still does all it is asked.
    pub fn leaving(&self) -> CancellationToken {
        self.leaving.clone()
    }

    /// Told when guests are to go; what they stand on still works.
    pub fn parting(&self) -> CancellationToken {
        self.parting.clone()
    }

    /// Runs a task that has an end of its own only after [`Tasks::parting`]; nothing else stops before it.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn host(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.guests.spawn(watched(name, future).within_current());
    }

    /// Runs a task that ends by itself, or that watches [`Tasks::token`], in the trace of who starts it; a panic is
    /// logged.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(watched(name, future).within_current());
    }

    /// Runs a task for as long as the house stands: when it panics or returns, it is started again
    /// after a pause that doubles from 100 ms to 10 s; it is dropped at stop.
    pub fn supervise<F>(&self, name: &'static str, mut start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        keep(&self.tracker, self.token(), name, move || {
            let (token, run) = (token.clone(), start());
            async move {
                let _ = token.run_until_cancelled(run).await;
            }
        });
    }

    /// The same for a guest: it is not dropped, but ends by itself after [`Tasks::parting`], with all it has begun.
    pub fn supervise_guest<F>(&self, name: &'static str, start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        keep(&self.guests, self.parting(), name, start);
    }

    /// Has it told that this process goes, goes on for `drain`, then asks guests to go and waits for them.
    pub async fn leave(&self, drain: Duration, guests_within: Duration) {
        self.leaving.cancel();
        tokio::time::sleep(drain).await;
        self.parting.cancel();
        self.guests.close();
        if tokio::time::timeout(guests_within, self.guests.wait()).await.is_err() {
            tracing::warn!(left = self.guests.len(), "some guests did not go in time");
        }
    }

    /// Asks everything to stop and waits; false when some tasks were still running at the deadline.
    pub async fn stop(&self, deadline: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        self.guests.close();
        let all = async {
            self.guests.wait().await;
            self.tracker.wait().await;
        };
        tokio::time::timeout(deadline, all).await.is_ok()
    }
}

/// Starts a task again whenever it ends before it is to.
#[allow(clippy::disallowed_methods, reason = "the one place that may")]
fn keep<F>(
    tracker: &TaskTracker,
    until: CancellationToken,
    name: &'static str,
    mut start: impl FnMut() -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    tracker.spawn(async move {
        let mut pause = Duration::from_millis(100);
        loop {
            let ended = AssertUnwindSafe(start()).catch_unwind().await;
            if until.is_cancelled() {
                return;
            }
            match ended {
                Ok(()) => tracing::warn!(task = name, "task ended; starting it again"),
                Err(panic) => {
                    tracing::error!(
                        task = name,
                        panic = panic_text(&*panic),
                        "task panicked; starting it again"
                    );
                }
            }
            if until.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    });
}

/// Not an async block, which would hold the future twice: as it came and as it runs.
fn watched<F>(name: &'static str, future: F) -> impl Future<Output = ()> + Send + 'static
where
    F: Future<Output = ()> + Send + 'static,
{
    AssertUnwindSafe(future).catch_unwind().map(move |ended| {
        if let Err(panic) = ended {
            tracing::error!(task = name, panic = panic_text(&*panic), "task panicked");
        }
    })
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

    #[tokio::test(start_paused = true)]
    async fn guests_go_while_everything_they_stand_on_still_works() {
        let tasks = Tasks::new();
        let (parting, still_works) = (tasks.parting(), tasks.token());
        let began = tokio::time::Instant::now();
        tasks.host("guest", async move {
            parting.cancelled().await;
            assert_eq!(began.elapsed(), Duration::from_secs(2), "only after the drain");
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(!still_works.is_cancelled());
        });
        let leaving = tasks.leaving();
        let leave = tasks.leave(Duration::from_secs(2), Duration::from_secs(60));
        let told = async {
            leaving.cancelled().await;
            assert_eq!(began.elapsed(), Duration::ZERO);
        };
        tokio::join!(leave, told);
        assert_eq!(began.elapsed(), Duration::from_secs(3), "no longer than they took");
        assert!(tasks.stop(Duration::from_secs(1)).await);
    }

    #[tokio::test]
    async fn a_stop_implies_all_that_comes_before_it() {
        let tasks = Tasks::new();
        assert!(tasks.stop(Duration::from_secs(1)).await);
        assert!(tasks.parting().is_cancelled() && tasks.leaving().is_cancelled());
    }

    #[tokio::test]
    async fn scoped_work_reports_its_panic() {
        let panicked = scoped(async { panic!("boom") }).await.map(|(): ()| ());
        assert!(panicked.unwrap_err().to_string().contains("boom"));
    }
}
