//! The caller's side of a call: passes on deadline, trace, token and seen token, and keeps the deadline.

use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::{Answer, BoxFuture};
use crate::call::{Call, out_of_time};

/// On a request: it was made before and stands on the bill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again;

/// On an answer: the request never reached the room.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotSent;

/// Wraps the way to a room.
#[derive(Clone, Debug)]
pub(super) struct Context<S> {
    inner: S,
}

impl<S> Context<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request<Body>> for Context<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Answer>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let call = Call::take_from(request.extensions_mut());
        if let Err(status) = call.write_headers(request.headers_mut()) {
            return Box::pin(async { Ok(status.into_http()) });
        }
        if request.extensions().get::<Again>().is_none() {
            call.charge(request.uri().path());
        }
        // What is only in memory must not reach a neighbour that it could not reach over the network.
        *request.extensions_mut() = http::Extensions::new();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let Ok(answer) = tokio::time::timeout_at(call.deadline(), answer).await else {
                return Ok(out_of_time().into_http());
            };
            let response = answer?;
            call.note_written(response.headers());
            if response.body().is_end_stream() {
                return Ok(response);
            }
            let due = tokio::time::sleep_until(call.deadline());
            Ok(response.map(|body| Body::new(Timed { body, due, spent: false })))
        })
    }
}

pin_project_lite::pin_project! {
    /// Headers may come in time and the body stall: the deadline holds for both.
    struct Timed {
        #[pin]
        body: Body,
        #[pin]
        due: Sleep,
        spent: bool,
    }
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if *this.spent {
            return Poll::Ready(None);
        }
        ready!(this.due.poll(cx));
        *this.spent = true;
        Poll::Ready(Some(Err(out_of_time())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
