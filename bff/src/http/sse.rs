//! Answers as events (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, distinct
//! connections): one request, its results as `next`, and `complete` when there are no more.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::Executor;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream::{BoxStream, StreamExt};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;

use super::answer::Reply;
use super::edge::Edge;
use super::engine::{Engine, Sender};
use super::params::Params;
use super::pass::{Pass, jittered};
use super::places::Full;
use crate::guard::{EdgeCode, Inspected, Rejection};

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
const SIGN_OF_LIFE: &[u8] = b":\n\n";

/// Events that wait for a reader; one that takes none of them in time is too slow.
const WAITING: usize = 1;

/// The events of a query or mutation, all at once.
pub(super) fn whole(reply: Reply, limit: usize) -> Response {
    let mut response = events(Body::from(completed(next(&reply, limit).0)));
    response.headers_mut().extend(reply.headers);
    response
}

/// Follows a subscription; else why it was not let in.
pub(super) async fn follow<X: Executor, E: Edge>(
    engine: &Arc<Engine<X, E>>,
    params: Params,
    inspected: &Inspected,
    sender: Sender<'_>,
) -> Result<Response, Reply> {
    let refuse = |code, message: &'static str| Reply::from(Rejection::new(code, message));
    if engine.tasks.parting().is_cancelled() {
        return Err(refuse(EdgeCode::Overloaded, "The program is stopping."));
    }
    let full = |full| match full {
        Full::Everywhere => refuse(EdgeCode::Overloaded, "Too many streams are open."),
        Full::Theirs => refuse(EdgeCode::RateLimited, "Too many streams of yours are open."),
    };
    let mut place = engine.places.take(sender.address).map_err(full)?;
    let (pass, replies) = engine.follow(params, inspected, sender).await?;
    if let Some(caller) = &pass.caller {
        place.belong(caller).map_err(full)?;
    }
    let (sender, receiver) = mpsc::channel(WAITING + 1);
    let stream = Stream { engine: Arc::clone(engine), pass, replies, sender };
    engine.tasks.host("graphql stream", stream.run());
    // The place is free once the body is gone.
    let body = ReceiverStream::new(receiver).map(move |event| {
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    Ok(events(Body::from_stream(body)))
}

/// Where a stream's events come from and go to.
struct Stream<X, E> {
    engine: Arc<Engine<X, E>>,
    pass: Pass,
    replies: BoxStream<'static, Reply>,
    sender: mpsc::Sender<Bytes>,
}

impl<X: Executor, E: Edge> Stream<X, E> {
    async fn run(mut self) {
        let sender = self.sender.clone();
        // Whatever lies there unread, the last word finds room behind it.
        let Ok(last_word) = sender.clone().reserve_owned().await else { return };
        tokio::select! {
            () = sender.closed() => {}
            last = self.tell() => drop(last_word.send(last)),
        }
    }

    /// Sends what there is to tell, but for what comes last.
    async fn tell(&mut self) -> Bytes {
        let engine = Arc::clone(&self.engine);
        let limits = &engine.settings.socket;
        let failed = |code, message: &'static str| {
            let reply = Rejection::new(code, message).into();
            completed(next(&reply, engine.settings.answer_bytes).0)
        };
        let stopping = engine.tasks.parting();
        let pass = self.pass.clone();
        let ended = pass.ended(limits.recheck);
        tokio::pin!(ended);
        let mut quiet_until = Instant::now();
        let mut leave_at = None;
        loop {
            let event = tokio::select! {
                () = stopping.cancelled(), if leave_at.is_none() => {
                    leave_at = Some(Instant::now() + jittered(limits.stop_spread));
                    continue;
                }
                () = sleep_until(leave_at.unwrap_or(quiet_until)), if leave_at.is_some() => {
                    // Without `complete`, for there is more to come: after so many milliseconds.
                    let retry = jittered(limits.stop_spread).as_millis();
                    return format!("retry: {retry}\n\n").into();
                }
                () = &mut ended => {
                    let message = "The access token is not good any more; refresh it or sign in.";
                    return failed(EdgeCode::Unauthenticated, message);
                }
                () = sleep_until(quiet_until) => SIGN_OF_LIFE.into(),
                reply = self.replies.next() => match reply {
                    Some(reply) => match next(&reply, engine.settings.answer_bytes) {
                        (event, true) => event.into(),
                        (event, false) => return completed(event),
                    },
                    // Ended by the stop, not by itself.
                    None if stopping.is_cancelled() => {
                        self.replies = futures::stream::pending().boxed();
                        continue;
                    }
                    None => return COMPLETE.into(),
                },
            };
            match timeout(limits.send, self.sender.send(event)).await {
                Ok(Ok(())) => {}
                // Nobody reads any more; going on would never wait for anything again.
                Ok(Err(_)) => return Bytes::new(),
                Err(_) => {
                    let message =
                        "You read more slowly than is written; go on from your last cursor.";
                    return failed(EdgeCode::SlowConsumer, message);
                }
            }
            quiet_until = Instant::now() + limits.keep_alive;
        }
    }
}

fn completed(mut event: Vec<u8>) -> Bytes {
    event.extend_from_slice(COMPLETE);
    event.into()
}

/// A result as an event, and whether it is within the limit; one that is not is replaced by an error.
fn next(reply: &Reply, limit: usize) -> (Vec<u8>, bool) {
    let json = reply.to_json();
    let fits = json.len() <= limit;
    let json = if fits { json } else { Reply::too_large().to_json() };
    // JSON as it is written here holds no line break.
    ([b"event: next\ndata: ", &json[..], b"\n\n"].concat(), fits)
}

fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A proxy that gathered events would keep them from the reader.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
