//! The trace of what runs now: it stands on the thread while a future is polled, and moves with the future.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use pin_project_lite::pin_project;

use super::Trace;

thread_local! {
    static CURRENT: Cell<Option<Trace>> = const { Cell::new(None) };
}

/// The trace of what runs here now, if it belongs to any.
pub fn current() -> Option<Trace> {
    CURRENT.get()
}

pin_project! {
    /// Work that belongs to a trace, wherever it is polled.
    #[derive(Debug)]
    #[must_use = "does nothing unless polled"]
    pub struct Within<T> {
        #[pin]
        inner: T,
        trace: Option<Trace>,
    }
}

/// Puts work into a trace.
pub trait InTrace: Sized {
    /// The same work, in a trace; without one it is in that of who polls it.
    fn within(self, trace: impl Into<Option<Trace>>) -> Within<Self> {
        Within { inner: self, trace: trace.into() }
    }

    /// The same work in the trace of who begins it, if there is one.
    fn within_current(self) -> Within<Self> {
        self.within(current())
    }
}

impl<T> InTrace for T {}

/// Puts back what was current before, also when a poll panics.
struct Entered(Option<Trace>);

impl Entered {
    fn new(trace: Trace) -> Self {
        Self(CURRENT.replace(Some(trace)))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.trace.map(Entered::new);
        this.inner.poll(cx)
    }
}

impl<S: Stream> Stream for Within<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _entered = this.trace.map(Entered::new);
        this.inner.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;
    use crate::task::scoped;

    #[tokio::test]
    async fn work_keeps_its_trace_on_another_task_and_leaves_none_behind() {
        let (outer, inner) = (Trace::fresh(), Trace::fresh());
        let work = async {
            yield_now().await;
            assert_eq!(current(), Some(outer));
            let other = scoped(async {
                yield_now().await;
                current()
            });
            let nested = async {
                yield_now().await;
                current()
            };
            assert_eq!(nested.within(inner).await, Some(inner));
            assert_eq!(current(), Some(outer));
            other.await.unwrap()
        };
        assert_eq!(work.within(outer).await, Some(outer));
        assert_eq!(current(), None);
    }

    #[tokio::test]
    async fn a_panic_leaves_no_trace_behind() {
        let work = std::panic::AssertUnwindSafe(async { panic!("boom") }.within(Trace::fresh()));
        let ended: Result<(), _> = futures::FutureExt::catch_unwind(work).await;
        assert!(ended.is_err() && current().is_none());
    }
}
