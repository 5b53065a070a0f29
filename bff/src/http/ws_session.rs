//! One socket's life: initialised once, many operations at once, closed with the code that says why.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::future::FutureExt;
use futures::stream::{BoxStream, Stream, StreamExt, once};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};
use tokio_stream::StreamMap;

use super::answer::Reply;
use super::edge::{Edge, Via};
use super::engine::{Engine, Sender};
use super::params::Params;
use super::pass::{Pass, jittered};
use super::places::Place;
use super::ws::SocketLimits;
use super::ws_protocol::{self as protocol, Close, Said};
use crate::guard::{EdgeCode, Inspected, Rejection};

/// For an answer that a stop waits for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What an operation does on its socket.
enum Event {
    Next(Reply),
    /// It ended before anything was executed.
    Failed(Reply),
    Done,
}

/// An operation under way; one that lasts has no end of its own to wait for.
struct Running {
    lasting: bool,
    events: BoxStream<'static, Event>,
}

impl Stream for Running {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_next_unpin(cx)
    }
}

/// Closing means stopping; without a code the other end is gone already.
type Step = Result<(), Option<Close>>;

pub(super) struct Session<X, E> {
    engine: Arc<Engine<X, E>>,
    socket: WebSocket,
    limits: SocketLimits,
    headers: Arc<HeaderMap>,
    address: Option<IpAddr>,
    /// Polled from another place each time, so that no operation keeps the others waiting.
    live: StreamMap<String, Running>,
    acknowledged: bool,
    pass: Pass,
    place: Place,
    /// When to go, once the program stops.
    leave_at: Option<Instant>,
    opened: Instant,
    heard: Instant,
    bucket: Bucket,
}

impl<X: Executor, E: Edge> Session<X, E> {
    pub(super) fn new(
        engine: Arc<Engine<X, E>>,
        socket: WebSocket,
        headers: HeaderMap,
        address: Option<IpAddr>,
        place: Place,
    ) -> Self {
        let limits = engine.settings.socket.clone();
        let now = Instant::now();
        Self {
            engine,
            socket,
            headers: Arc::new(headers),
            address,
            live: StreamMap::new(),
            acknowledged: false,
            pass: Pass::default(),
            place,
            leave_at: None,
            opened: now,
            heard: now,
            bucket: Bucket::full(&limits, now),
            limits,
        }
    }

    pub(super) async fn run(mut self: Box<Self>) {
        let Err(end) = self.talk().await else { return };
        self.live.clear();
        let Some(close) = end else { return };
        let frame = CloseFrame { code: close.code, reason: close.reason.into() };
        let farewell = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                // What the client sent meanwhile is read away: left unread it would make the
                // network drop the close frame.
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        if timeout(self.limits.close, farewell).await.is_err() {
            tracing::debug!(code = close.code, "a socket did not take its close in time");
        }
    }

    async fn talk(&mut self) -> Step {
        let stopping = self.engine.tasks.parting();
        let init_by = self.opened + self.limits.init;
        let mut ping = interval_at(self.opened + self.limits.ping, self.limits.ping);
        let mut recheck = interval_at(self.opened + self.limits.recheck, self.limits.recheck);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whichever is ready is taken up in an order drawn anew each time, so that an operation with
        // always something to say keeps neither the others nor the client's messages waiting.
        loop {
            let expires_at = self.pass.expires_at.unwrap_or(init_by);
            let leave_at = self.leave_at.unwrap_or(init_by);
            tokio::select! {
                () = stopping.cancelled(), if self.leave_at.is_none() => {
                    self.leave_at = Some(Instant::now() + jittered(self.limits.stop_spread));
                }
                () = sleep_until(leave_at), if self.leave_at.is_some() => self.leave()?,
                () = sleep_until(init_by), if !self.acknowledged => {
                    return Err(Some(Close::INIT_TIMEOUT));
                }
                () = sleep_until(expires_at), if self.pass.expires_at.is_some() => {
                    return Err(Some(Close::FORBIDDEN));
                }
                _ = recheck.tick(), if self.pass.still_good.is_some() => {
                    if self.pass.still_good.as_ref().is_some_and(|still_good| !still_good()) {
                        return Err(Some(Close::FORBIDDEN));
                    }
                }
                _ = ping.tick() => self.ping().await?,
                Some((id, event)) = self.live.next(), if !self.live.is_empty() => {
                    self.tell(&id, event).await?;
                }
                message = self.socket.recv() => self.hear(message).await?,
            }
        }
    }

    /// Goes, but for answers that are under way: they have deadlines, and a stop waits for them.
    fn leave(&mut self) -> Step {
        if self.live.values().all(|running| running.lasting) {
            return Err(Some(Close::GOING_AWAY));
        }
        self.leave_at = Some(Instant::now() + LOOK_AGAIN);
        Ok(())
    }

    async fn ping(&mut self) -> Step {
        if self.heard.elapsed() >= self.limits.dead {
            return Err(Some(Close::SILENT));
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn tell(&mut self, id: &str, event: Event) -> Step {
        let lasting = self.live.iter().any(|(key, running)| key == id && running.lasting);
        if lasting && !matches!(event, Event::Next(_)) && self.engine.tasks.parting().is_cancelled()
        {
            // Ended by the stop, not by itself: the client shall come back for the rest.
            self.live.remove(id);
            return Ok(());
        }
        let text = match event {
            Event::Next(reply) => {
                let text = protocol::next(id, &reply);
                // Measured up to here: how soon it is taken is up to the client.
                drop(reply);
                if text.len() <= self.engine.settings.answer_bytes {
                    return self.send(Message::Text(text.into())).await;
                }
                self.live.remove(id);
                protocol::error(id, &Reply::too_large())
            }
            Event::Failed(reply) if reply.is_unauthenticated() => {
                return Err(Some(Close::FORBIDDEN));
            }
            Event::Failed(reply) => {
                self.live.remove(id);
                protocol::error(id, &reply)
            }
            Event::Done => {
                self.live.remove(id);
                protocol::complete(id)
            }
        };
        self.send(Message::Text(text.into())).await
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(blame(&error)),
            None => return Err(None),
        };
        self.heard = Instant::now();
        if !self.bucket.take(self.heard) {
            return Err(Some(Close::TOO_MANY_MESSAGES));
        }
        match message {
            Message::Text(text) => {
                let said = Said::parse(text.as_str(), self.limits.id_bytes).map_err(Some)?;
                self.obey(said).await
            }
            Message::Binary(_) => Err(Some(Close::BAD_MESSAGE)),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => {
                // The library answers it with the next look at the socket.
                let _ = timeout(self.limits.close, self.socket.recv()).await;
                Err(None)
            }
        }
    }

    async fn obey(&mut self, said: Said) -> Step {
        match said {
            Said::Init(payload) => self.init(payload).await,
            Said::Ping(payload) => {
                let pong = protocol::pong(payload.as_ref());
                self.send(Message::Text(pong.into())).await
            }
            Said::Pong => Ok(()),
            Said::Subscribe { .. } if !self.acknowledged => Err(Some(Close::UNAUTHORIZED)),
            Said::Subscribe { id, params } => self.subscribe(id, params).await,
            Said::Complete { id } => {
                self.live.remove(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<serde_json::Value>) -> Step {
        if self.acknowledged {
            return Err(Some(Close::TOO_MANY_INITS));
        }
        if let Some(token) = payload.as_ref().and_then(protocol::token) {
            let token = HeaderValue::from_str(&token).map_err(|_| Some(Close::FORBIDDEN))?;
            Arc::make_mut(&mut self.headers).insert(AUTHORIZATION, token);
        }
        let sender = Sender { headers: &self.headers, address: self.address, via: Via::WebSocket };
        let admission = self.engine.edge.admit(sender.arrival(None));
        let verdict = timeout_at(self.opened + self.limits.init, admission).await;
        match verdict.map_err(|_| Some(Close::INIT_TIMEOUT))? {
            Ok(admitted) => self.pass = admitted.pass(),
            Err(refusal) => {
                let forbidden =
                    matches!(refusal.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                return Err(Some(if forbidden { Close::FORBIDDEN } else { Close::TRY_LATER }));
            }
        }
        if let Some(caller) = &self.pass.caller {
            self.place.belong(caller).map_err(|_| Some(Close::TOO_MANY_SOCKETS))?;
        }
        self.acknowledged = true;
        self.send(Message::Text(protocol::ACK.into())).await
    }

    async fn subscribe(&mut self, id: String, params: Params) -> Step {
        if self.leave_at.is_some() {
            return Err(Some(Close::GOING_AWAY));
        }
        if self.live.contains_key(&id) {
            return Err(Some(Close::SUBSCRIBER_EXISTS));
        }
        if self.live.len() >= self.limits.operations {
            let message = "Too many operations are running on this socket.";
            let reply = Rejection::new(EdgeCode::RateLimited, message).into();
            return self.send(Message::Text(protocol::error(&id, &reply).into())).await;
        }
        let (engine, headers) = (Arc::clone(&self.engine), Arc::clone(&self.headers));
        let address = self.address;
        let running = match engine.inspect(&params) {
            Ok(inspected) => {
                let lasting = inspected.kind == OperationType::Subscription;
                // Boxed by itself, so that what a start needs is free once a subscription goes on.
                let start = operation(engine, headers, address, params, inspected).boxed();
                Running { lasting, events: once(start).flatten().boxed() }
            }
            Err(rejection) => {
                let events = only([Event::Failed(rejection.into())]);
                Running { lasting: false, events }
            }
        };
        self.live.insert(id, running);
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Step {
        match timeout(self.limits.send, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(Close::SLOW_CONSUMER)),
        }
    }
}

/// Everything an operation will have to say; nothing runs before it is polled.
async fn operation<X: Executor, E: Edge>(
    engine: Arc<Engine<X, E>>,
    headers: Arc<HeaderMap>,
    address: Option<IpAddr>,
    params: Params,
    inspected: Inspected,
) -> BoxStream<'static, Event> {
    let sender = Sender { headers: &headers, address, via: Via::WebSocket };
    if inspected.kind == OperationType::Subscription {
        let replies = match engine.follow(params, &inspected, sender).await {
            Ok((_, replies)) => replies,
            Err(reply) => return only([Event::Failed(reply)]),
        };
        let mut started = false;
        let events = replies.map(move |reply| {
            let refused = !started && reply.data.is_none();
            started = true;
            if refused { Event::Failed(reply) } else { Event::Next(reply) }
        });
        return events.chain(once(async { Event::Done })).boxed();
    }
    let Ok(_running) = engine.running.try_acquire() else {
        let message = "Too many requests are running.";
        return only([Event::Failed(Rejection::new(EdgeCode::Overloaded, message).into())]);
    };
    let reply = engine.answer(params, &inspected, sender).await;
    match reply.data {
        None => only([Event::Failed(reply)]),
        Some(_) => only([Event::Next(reply), Event::Done]),
    }
}

fn only<const N: usize>(events: [Event; N]) -> BoxStream<'static, Event> {
    futures::stream::iter(events).boxed()
}

/// What to close with after a frame that could not be read; the library tells only by its words.
fn blame(error: &axum::Error) -> Option<Close> {
    let text = error.to_string();
    if text.contains("protocol error") {
        (!text.contains("without closing handshake")).then_some(Close::BROKEN)
    } else if text.contains("too long") || text.contains("too big") {
        Some(Close::TOO_BIG)
    } else if text.to_ascii_lowercase().contains("utf-8") {
        Some(Close::NOT_UTF8)
    } else {
        None
    }
}

/// Messages a socket may still send.
struct Bucket {
    level: f64,
    size: f64,
    per_second: f64,
    filled: Instant,
}

impl Bucket {
    fn full(limits: &SocketLimits, now: Instant) -> Self {
        let size = f64::from(limits.burst);
        Self { level: size, size, per_second: f64::from(limits.per_second), filled: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let gained = now.duration_since(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.level = (self.level + gained).min(self.size) - 1.0;
        self.level >= 0.0
    }
}
