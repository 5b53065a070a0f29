//! What stands behind the endpoint decides about everyone who arrives: this is its whole face.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Value};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::pass::{Pass, StillGood};
use crate::guard::EdgeCode;

/// Authenticates and limits. Asked once per operation, after the guard let the document in; over
/// WebSocket also once when a socket is opened, with no operation yet.
pub trait Edge: Clone + Send + Sync + 'static {
    /// Lets the caller in with what its resolvers need, or turns it away.
    fn admit(&self, arrival: Arrival<'_>)
    -> impl Future<Output = Result<Admitted, Refusal>> + Send;
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// One request, one answer; headers can be sent back.
    Http,
    /// A live socket; only `extensions` can be sent back.
    WebSocket,
}

/// Someone asking.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its headers; over WebSocket those of the upgrade, with the token of `connection_init` as
    /// `authorization`.
    pub headers: &'a HeaderMap,
    /// What it is counted by when nothing else is known: the address it comes from, or of IPv6 the network;
    /// None for what comes by no network.
    pub address: Option<IpAddr>,
    /// How it came.
    pub via: Via,
    /// What it asks; None while a socket is being opened.
    pub operation: Option<&'a Asked>,
}

/// One operation, as the guard measured it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// The name the client gave it.
    pub name: Option<String>,
    /// Points it costs at most.
    pub cost: u64,
    /// Its fields that try to get in, such as a log-in.
    pub attempts: u64,
    /// When its answer will be given up; subscriptions have none.
    pub deadline: Option<Instant>,
}

type Finish = Box<dyn FnOnce(&mut Outcome) + Send>;

/// Someone let in.
#[derive(Default)]
pub struct Admitted {
    /// What resolvers find with `Context::data`.
    pub data: Data,
    /// When the caller's token ends: its socket is closed then (4403).
    pub expires_at: Option<Instant>,
    /// Names the caller: sockets and streams are counted by it. None for strangers.
    pub caller: Option<Arc<str>>,
    /// Asked each second while a socket or stream is open; must be cheap. Once it says no, that ends.
    pub still_good: Option<StillGood>,
    /// Put into every error as `extensions.traceId`.
    pub trace_id: Option<String>,
    finish: Option<Finish>,
}

impl Admitted {
    /// Lets in with this data.
    pub fn with(data: Data) -> Self {
        Self { data, ..Self::default() }
    }

    /// Has the last word on the answer of a query or mutation, also of one that was given up.
    #[must_use]
    pub fn finally(mut self, finish: impl FnOnce(&mut Outcome) + Send + 'static) -> Self {
        self.finish = Some(Box::new(finish));
        self
    }

    pub(super) fn pass(&self) -> Pass {
        Pass {
            caller: self.caller.clone(),
            expires_at: self.expires_at,
            still_good: self.still_good.clone(),
        }
    }

    pub(super) fn take_finish(&mut self) -> Option<Finish> {
        self.finish.take()
    }
}

impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What may still be added to an answer.
#[derive(Debug)]
pub struct Outcome {
    /// How it will go out.
    pub via: Via,
    /// True when the answer carries errors.
    pub failed: bool,
    /// Response headers; dropped over WebSocket.
    pub headers: HeaderMap,
    /// The answer's `extensions`.
    pub extensions: BTreeMap<String, Value>,
    /// Set by whoever has the last word: time in which a call to a room was in flight.
    pub waited: Duration,
}

/// Someone turned away, with a status that every profile and media type keeps.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Of the HTTP answer. Over WebSocket 401 closes the socket with 4403.
    pub status: StatusCode,
    /// For `extensions.code`.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Sent along, such as `retry-after`.
    pub headers: HeaderMap,
    /// More for the error's `extensions`.
    pub extensions: BTreeMap<String, Value>,
}

impl Refusal {
    /// Turned away for a reason of the edge's list.
    pub fn new(status: StatusCode, code: EdgeCode, message: impl Into<String>) -> Self {
        let mut extensions = BTreeMap::new();
        if code.is_retryable() {
            extensions.insert("retryable".to_owned(), Value::Boolean(true));
        }
        Self {
            status,
            code: code.name(),
            message: message.into(),
            headers: HeaderMap::new(),
            extensions,
        }
    }

    /// The token is not good.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, EdgeCode::Unauthenticated, message);
        refusal.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        refusal
    }

    /// Too much was asked; the client may come back after so many seconds.
    pub fn rate_limited(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, EdgeCode::RateLimited, message)
            .after(retry_after_seconds)
    }

    /// Whether the caller is let in cannot be told right now.
    pub fn unavailable(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, EdgeCode::Unavailable, message)
            .after(retry_after_seconds)
    }

    /// Says when to come back.
    #[must_use]
    pub fn after(self, seconds: u32) -> Self {
        self.after_ms(u64::from(seconds) * 1_000)
    }

    /// The same to the millisecond, where headers can say it only in seconds.
    #[must_use]
    pub fn after_ms(mut self, ms: u64) -> Self {
        self.headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        self.extensions.insert("retryAfterMs".to_owned(), Value::from(ms));
        self
    }
}
