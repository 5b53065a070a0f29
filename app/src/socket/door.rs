//! What a call meets before it meets the room: whether its caller may make it, whether there is room, and a time limit.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use moim_kit::call::out_of_time;
use moim_kit::wire::LEAVING;
use moim_proto::fact::v1::{fact_service_server, live_service_server};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderValue, Request, Response};
use tower::{Layer, Service};

use super::accept::Peer;
use super::turned_away;
use crate::callers::may_call;
use crate::config::Limits;

/// Whoever waits for facts is answered within this: the longest wait and some time for reading.
const HEARING: Duration = Duration::from_secs(40);

/// Stands in front of a room's servers.
#[derive(Clone)]
pub(super) struct Door {
    room: &'static str,
    calls: Arc<Semaphore>,
    wait: Duration,
    timeout: Duration,
    leaving: CancellationToken,
}

impl Door {
    pub(super) fn new(room: &'static str, limits: &Limits, leaving: CancellationToken) -> Self {
        Self {
            room,
            calls: Arc::new(Semaphore::new(limits.calls)),
            wait: Duration::from_millis(limits.call_wait_ms),
            timeout: Duration::from_millis(limits.call_timeout_ms),
            leaving,
        }
    }

    /// Places for one call; they are free again when it is answered.
    async fn places(&self, peer: Option<Peer>) -> Result<Places, Status> {
        let Ok(whole) = self.calls.clone().try_acquire_owned() else {
            turned_away(self.room, "calls");
            return Err(Status::unavailable("the room is busy"));
        };
        let own = match peer {
            None => None,
            Some(peer) => match timeout(self.wait, peer.calls.acquire_owned()).await {
                Ok(Ok(place)) => Some(place),
                _ => {
                    turned_away(self.room, "calls_of_one");
                    return Err(Status::resource_exhausted("too many calls at once"));
                }
            },
        };
        Ok(Places { _whole: whole, _own: own })
    }

    async fn within(
        &self,
        kind: Kind,
        peer: Option<Peer>,
        answer: impl Future<Output = Answer>,
    ) -> Result<Response<Body>, Status> {
        let (_places, limit) = match kind {
            // A stream is answered at once and lives on; the streams of a connection are few.
            Kind::Live | Kind::Health => (None, self.timeout),
            Kind::Facts => (None, HEARING),
            Kind::Call => (Some(self.places(peer).await?), self.timeout),
        };
        match timeout(limit, answer).await {
            Ok(Ok(response)) => Ok(response),
            Err(_) => Err(out_of_time()),
        }
    }
}

struct Places {
    _whole: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl<S> Layer<S> for Door {
    type Service = Behind<S>;

    fn layer(&self, inner: S) -> Behind<S> {
        Behind { inner, door: self.clone() }
    }
}

/// A room's servers behind its door.
#[derive(Clone)]
pub(super) struct Behind<S> {
    inner: S,
    door: Door,
}

type Answer = Result<Response<Body>, Infallible>;

impl<S> Service<Request<Body>> for Behind<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let peer = request.extensions_mut().remove::<Peer>();
        let path = request.uri().path();
        let names = peer.as_ref().and_then(|peer| peer.names.as_ref());
        if let Some(names) = names
            && !may_call(names, self.door.room, path)
        {
            turned_away(self.door.room, "caller");
            let refused = Status::permission_denied("this room is not to be called by yours");
            return Box::pin(async move { Ok(refused.into_http()) });
        }
        let kind = Kind::of(path);
        let door = self.door.clone();
        // Nothing happens before it is polled.
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answered = door.within(kind, peer, answer).await;
            let mut response = answered.unwrap_or_else(Status::into_http);
            if door.leaving.is_cancelled() {
                response.headers_mut().insert(LEAVING, HeaderValue::from_static("1"));
            }
            Ok(response)
        })
    }
}

/// How long a call may take, and whether it counts.
#[derive(Clone, Copy)]
enum Kind {
    Call,
    Facts,
    Live,
    /// A room that has no place left is busy, not ill: whoever restarted it for that would make it worse.
    Health,
}

impl Kind {
    fn of(path: &str) -> Self {
        if path == "/grpc.health.v1.Health/Check" {
            return Self::Health;
        }
        match path.trim_start_matches('/').split('/').next() {
            Some(fact_service_server::SERVICE_NAME) => Self::Facts,
            Some(live_service_server::SERVICE_NAME) => Self::Live,
            _ => Self::Call,
        }
    }
}
