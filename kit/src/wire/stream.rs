//! The body of a stream, watched to its end: one that breaks off is a failure of its room.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::answer::failure;
use super::breaker::Breaker;
use super::verdict::{self, Verdict};
use super::window::Outcome;

pin_project_lite::pin_project! {
    pub(super) struct Watched {
        #[pin]
        body: Body,
        breaker: Option<Arc<Breaker>>,
    }
}

impl Watched {
    pub(super) fn new(body: Body, breaker: Arc<Breaker>) -> Self {
        Self { body, breaker: Some(breaker) }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        let failed = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().map(|trailers| {
                let status = failure(trailers);
                status.is_some_and(|status| verdict::of(&status).0 == Verdict::Failure)
            }),
            // Its caller's own deadline is how a stream ends that nobody ended before.
            Some(Err(status)) => Some(status.code() != tonic::Code::DeadlineExceeded),
            None => Some(false),
        };
        if let Some(failed) = failed
            && let Some(breaker) = this.breaker.take()
            && failed
        {
            breaker.record_later(Outcome { failed, slow: false });
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
