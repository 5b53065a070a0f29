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

/// Events that wait for a reader; what it takes no longer stops its stream.
const WAITING: usize = 1;

/// The events of a query or mutation, all at once.
pub(super) fn whole(reply: Reply, limit: usize) -> Response {
    let (mut body, _) = next(&reply, limit);
    body.extend_from_slice(COMPLETE);
    let mut response = events(Body::from(body));
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
    if engine.tasks.token().is_cancelled() {
        return Err(refuse(EdgeCode::Overloaded, "The program is stopping."));
    }
    let full = |full| match full {
        Full::Everywhere => refuse(EdgeCode::Overloaded, "Too many streams are open."),
        Full::Theirs => refuse(EdgeCode::RateLimited, "Too many streams of yours are open."),
    };
    let mut place = engine.places.take(sender.peer).map_err(full)?;
    let (pass, replies) = engine.follow(params, inspected, sender).await?;
    if let Some(caller) = &pass.caller {
        place.belong(caller).map_err(full)?;
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    let stream = Stream { engine: Arc::clone(engine), pass, replies, sender };
    engine.tasks.spawn("graphql stream", stream.run());
    // The place is free once the body is gone, however long a reader lets it lie.
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
        let engine = Arc::clone(&self.engine);
        let limits = &engine.settings.socket;
        let stopping = engine.tasks.token();
        let gone = self.sender.clone();
        let pass = self.pass.clone();
        let ended = pass.ended(limits.recheck);
        tokio::pin!(ended);
        let mut quiet_until = Instant::now();
        let mut leave_at = None;
        loop {
            let go = tokio::select! {
                () = stopping.cancelled(), if leave_at.is_none() => {
                    let spread = limits.stop_spread.min(engine.settings.limits.stop / 2);
                    leave_at = Some(Instant::now() + jittered(spread));
                    continue;
                }
                () = sleep_until(leave_at.unwrap_or(quiet_until)), if leave_at.is_some() => {
                    // Without `complete`, for there is more to come: after so many milliseconds.
                    let retry = jittered(limits.stop_spread).as_millis();
                    self.send(format!("retry: {retry}\n\n").into()).await;
                    return;
                }
                () = &mut ended => {
                    let message = "The access token is not good any more; refresh it or sign in.";
                    let reply = Rejection::new(EdgeCode::Unauthenticated, message).into();
                    self.end(next(&reply, engine.settings.answer_bytes).0).await;
                    return;
                }
                () = gone.closed() => return,
                () = sleep_until(quiet_until) => self.send(SIGN_OF_LIFE.into()).await,
                reply = self.replies.next() => match reply {
                    Some(reply) => match next(&reply, engine.settings.answer_bytes) {
                        (event, true) => self.send(event.into()).await,
                        (event, false) => {
                            self.end(event).await;
                            return;
                        }
                    },
                    // Ended by the stop, not by itself.
                    None if stopping.is_cancelled() => {
                        self.replies = futures::stream::pending().boxed();
                        continue;
                    }
                    None => {
                        self.send(COMPLETE.into()).await;
                        return;
                    }
                },
            };
            if !go {
                return;
            }
            quiet_until = Instant::now() + limits.keep_alive;
        }
    }

    /// False when the reader is gone, or too slow.
    async fn send(&mut self, event: Bytes) -> bool {
        let within = self.engine.settings.socket.send;
        matches!(timeout(within, self.sender.send(event)).await, Ok(Ok(())))
    }

    async fn end(&mut self, mut event: Vec<u8>) {
        event.extend_from_slice(COMPLETE);
        self.send(event.into()).await;
    }
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
