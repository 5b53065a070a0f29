//! One process of a room: its connection, and whether it is worth asking.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, ConnectError, Status};
use tower::{Service as _, ServiceExt as _};

use super::answer::failure;
use super::context::NotSent;
use super::endpoint::Line;
use super::verdict::{self, Verdict};
use crate::call::{out_of_time, timeout_in};

/// So many failures in a row, though it can be reached, put a process aside.
const FAILURES: u32 = 5;
const ASIDE: Duration = Duration::from_millis(250);
const ASIDE_DOUBLINGS: u32 = 5;
/// A process that says it goes is left alone for so long; it says so again when it is asked after that.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// Timers are as exact as this.
const TICK: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Node {
    /// Which of the room's addresses named it.
    pub name: usize,
    pub at: SocketAddr,
    line: Line,
    in_flight: AtomicUsize,
    health: Mutex<Health>,
    /// Until when it is left alone, since it said that it goes.
    leaving: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    /// Times in a row that it was put aside.
    times: u32,
    until: Option<Instant>,
}

/// Header of answers by a process that was asked to stop: others are to be asked as long as there are others.
pub const LEAVING: &str = "moim-leaving";

/// What a call found out about a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    InOrder,
    Failing,
    Unreachable,
}

impl Node {
    pub(super) fn new(name: usize, at: SocketAddr, line: Line) -> Self {
        Self {
            name,
            at,
            line,
            in_flight: AtomicUsize::new(0),
            health: Mutex::default(),
            leaving: Mutex::default(),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn is_aside(&self, now: Instant) -> bool {
        let ahead = |until: Option<Instant>| until.is_some_and(|until| now < until);
        ahead(self.health.lock().until) || ahead(*self.leaving.lock())
    }

    /// Sends a request; failures of the network become statuses, so that nobody above has to know two kinds.
    /// The second is true when the process was put aside by it.
    pub(super) async fn send(self: &Arc<Self>, request: Request<Body>) -> (Response<Body>, bool) {
        let now = Instant::now();
        let due = timeout_in(request.headers()).map(|timeout| now + timeout);
        let mut asked = Asked { node: self.clone(), due, is_over: false };
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let mut channel = self.line.channel();
        let answer = match channel.ready().await {
            Ok(channel) => channel.call(request).await,
            Err(error) => Err(error),
        };
        asked.is_over = true;
        match answer {
            Ok(response) => {
                let leaves = response.headers().contains_key(LEAVING);
                *self.leaving.lock() = leaves.then(|| Instant::now() + LEFT_ALONE);
                let aside = self.note(found(&response));
                (response, aside)
            }
            Err(error) => {
                let unsent = is_unsent(&error);
                let aside = self.note(if unsent { Found::Unreachable } else { Found::Failing });
                let mut response = network_status(error).into_http();
                if unsent {
                    response.extensions_mut().insert(NotSent);
                }
                (response, aside)
            }
        }
    }

    /// True when this puts it aside.
    fn note(&self, found: Found) -> bool {
        let mut health = self.health.lock();
        match found {
            Found::InOrder => {
                *health = Health::default();
                return false;
            }
            Found::Failing => health.failures += 1,
            Found::Unreachable => health.failures = FAILURES,
        }
        let now = Instant::now();
        if health.failures < FAILURES || health.until.is_some_and(|until| now < until) {
            return false;
        }
        health.until = Some(now + ASIDE * (1 << health.times.min(ASIDE_DOUBLINGS)));
        health.times += 1;
        // Once it is asked again, the first failure tells enough.
        health.failures = FAILURES - 1;
        true
    }
}

/// A call on its way; dropped when its time had come, the process let it wait.
struct Asked {
    node: Arc<Node>,
    due: Option<Instant>,
    is_over: bool,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.node.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.is_over && self.due.is_some_and(|due| Instant::now() + TICK >= due) {
            self.node.note(Found::Failing);
        }
    }
}

/// A process that cannot serve says so at once; what happens to single calls is for the breaker.
fn found(response: &Response<Body>) -> Found {
    if !response.headers().contains_key(Status::GRPC_STATUS) {
        return Found::InOrder;
    }
    match failure(response.headers()) {
        Some(status) if status.code() == Code::Unavailable => match verdict::of(&status).0 {
            Verdict::Failure => Found::Failing,
            _ => Found::InOrder,
        },
        _ => Found::InOrder,
    }
}

/// True when the process has done nothing: it could not be reached, or it was going and took no more.
fn is_unsent(error: &tonic::transport::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        // The connection ended while the call waited for its turn.
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
            return true;
        }
        // Of a peer that closes in order, only calls begun after those it still answers are refused (RFC 9113, 6.8).
        if let Some(refused) = error.downcast_ref::<h2::Error>() {
            let reason = refused.reason();
            return refused.is_remote()
                && ((refused.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
                    || (refused.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM)));
        }
        cause = error.source();
    }
    false
}

fn network_status(error: tonic::transport::Error) -> Status {
    let status = Status::from_error(Box::new(error));
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => out_of_time(),
        Code::DeadlineExceeded => status,
        // Whatever HTTP/2 complains of, such as too many calls given up on while the peer was frozen: nobody has
        // answered, and the peer did not say no.
        _ => Status::unavailable(status.message()),
    }
}
