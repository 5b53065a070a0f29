//! The listener loop: connections with time limits that cut, and a stop that loses no answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use moim_kit::frames::Watched;
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Span};
use pin_project_lite::pin_project;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::h2_stream::{Spawner, Taking};
use super::pace::{InFlight, Overdue, Pace, Paced};
use super::protect::protect;
use super::spans;

/// Time and space a connection gets.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the first byte of a request to the end of its headers.
    pub header: Duration,
    /// From the headers to the end of the body; then 408.
    pub body: Duration,
    /// Between requests.
    pub idle: Duration,
    /// For a peer to take anything of an answer, and of each stream of HTTP/2.
    pub write: Duration,
    /// Bytes of a request's headers; then 431.
    pub header_bytes: usize,
    /// Connections open at once; the next ones wait to be accepted.
    pub connections: usize,
    /// Bytes the system keeps of what a peer has not taken yet, so that one who stalls costs little.
    pub send_bytes: usize,
    /// Requests of one HTTP/2 connection at once.
    pub streams: u32,
    /// For requests in flight to end once the program stops.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(30),
            header_bytes: 64 * 1024,
            connections: 8_192,
            send_bytes: 256 * 1024,
            streams: 100,
            stop: Duration::from_secs(10),
        }
    }
}

/// The other end of a connection, in a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A connection that has sent nothing yet at the stop may have its first request on the way for so long.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// Accepts connections until the tasks are told to stop; those in flight then end by themselves, each a task of its
/// own, within `limits.stop`.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, tasks: Tasks) {
    // Those that are accepted inherit it.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(limits.send_bytes) {
        tracing::warn!(%error, "peers that stall may cost more memory");
    }
    let stopping = tasks.token();
    let server = Arc::new(Server { builder: builder(&limits, &tasks), router, limits, tasks });
    let places = Arc::new(Semaphore::new(server.limits.connections));
    let accepting = async || {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let (stream, peer) = accept(&listener).await;
            let connection = Arc::clone(&server).connection(stream, peer, place);
            server.tasks.spawn("http connection", connection);
        }
    };
    stopping.run_until_cancelled(accepting()).await;
    // Those whom the system has let in already are served once.
    let _ = timeout(Duration::ZERO, accepting()).await;
}

/// Out of file descriptors or the like: those connected go on, and the next is tried a little later.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn builder(limits: &Limits, tasks: &Tasks) -> auto::Builder<Spawner> {
    let spawner = Spawner { tasks: tasks.clone(), write: limits.write };
    let mut builder = auto::Builder::new(spawner);
    // hyper's own header limit would also end idle connections, so the pace is kept here.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(Duration::from_secs(15))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

struct Server {
    builder: auto::Builder<Spawner>,
    router: Router,
    limits: Limits,
    tasks: Tasks,
}

impl Server {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        _place: OwnedSemaphorePermit,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers of this connection may wait for more");
        }
        let pace = Pace::new(&self.limits);
        let begun = CancellationToken::new();
        // Time is kept by the pace, also that of a greeting.
        let watched = Watched::new(Paced::new(stream, Arc::clone(&pace)), None);
        let stream = TokioIo::new(watched);
        let service = service_fn(|request: Request<Incoming>| {
            let in_flight = pace.enter();
            begun.cancel();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let ends = has_an_end_in_doubt(&request);
            let mut span = spans::request(&request);
            let answer = self.router.clone().oneshot(request);
            let answer = answer.within(span.as_ref().map(Span::trace));
            async move {
                let mut response: Result<Response<Body>, Infallible> = answer.await;
                if let Ok(response) = &mut response {
                    protect(response);
                    if let Some(span) = &mut span {
                        spans::responded(span, response);
                    }
                    if ends {
                        response
                            .headers_mut()
                            .insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                }
                let taking = Taking::current();
                response.map(|response| response.map(|body| Tracked { body, in_flight, taking }))
            }
        });
        let connection = self.builder.serve_connection_with_upgrades(stream, service);
        tokio::pin!(connection);
        let overdue = Overdue::new(Arc::clone(&pace));
        tokio::pin!(overdue);
        let stopping = self.tasks.token();
        tokio::select! {
            biased;
            ended = connection.as_mut() => return debug_end(ended),
            () = stopping.cancelled() => {}
            () = overdue => return,
        }
        // hyper would drop a connection of which it does not know yet how it speaks, with the request in it.
        tokio::select! {
            biased;
            () = begun.cancelled() => {}
            ended = connection.as_mut() => return debug_end(ended),
            () = sleep(FIRST_REQUEST) => {}
        }
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = timeout(self.limits.stop, connection).await {
            debug_end(ended);
        }
    }
}

/// Where a body in pieces ends, a proxy that goes by a length may see otherwise (RFC 9112, 6.1): what follows on
/// the connection could be a request that the proxy never saw.
fn has_an_end_in_doubt(request: &Request<Body>) -> bool {
    request.version() < Version::HTTP_2 && request.headers().contains_key(TRANSFER_ENCODING)
}

/// Peers break off all the time; it is worth a line only when looking for it.
fn debug_end(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

pin_project! {
    /// A body that keeps its request in flight until it is out.
    struct Tracked {
        #[pin]
        body: Body,
        in_flight: InFlight,
        taking: Option<Arc<Taking>>,
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        let Some(taking) = this.taking else { return this.body.poll_frame(cx) };
        taking.asked();
        let frame = this.body.poll_frame(cx);
        if frame.is_ready() {
            taking.gave();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
