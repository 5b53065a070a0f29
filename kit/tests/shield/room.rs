//! A room that does as a test says, and counts what reaches it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use moim_kit::call::Call;
use moim_kit::task::Tasks;
use moim_kit::trace::Trace;
use moim_kit::wire::{self, Config, Wire};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};

type Handled = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// What reached the room.
pub struct Asked {
    /// Counted from one.
    pub nth: usize,
    pub method: String,
    pub headers: HeaderMap,
}

/// A server of one handler for all methods.
#[derive(Clone)]
pub struct Room {
    handler: Arc<dyn Fn(Asked) -> Handled + Send + Sync>,
    calls: Arc<AtomicUsize>,
}

impl Room {
    pub fn new<F>(handler: impl Fn(Asked) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self { handler: Arc::new(move |asked| Box::pin(handler(asked))), calls: Arc::default() }
    }

    /// Always of one mind.
    pub fn saying(code: Code) -> Self {
        Self::new(move |_| async move { Status::new(code, "as asked").into_http() })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Next door, behind a shield.
    pub fn shielded(&self, config: &Config) -> Wire {
        wire::shielded("test", config, wire::local(self.clone()))
    }

    /// Listens until the tasks stop.
    pub async fn listen(&self, tasks: &Tasks) -> SocketAddr {
        serve(self.clone(), tasks).await
    }
}

/// Puts a server behind a socket.
pub async fn serve<S>(server: S, tasks: &Tasks) -> SocketAddr
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let token = tasks.token();
    let server = Server::builder().add_service(server);
    tasks.spawn("test server", async move {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        // Dropped, not asked to end: as when its process is killed.
        token.run_until_cancelled(server.serve_with_incoming(incoming)).await;
    });
    address
}

impl NamedService for Room {
    const NAME: &'static str = "moim.test.Probe";
}

impl Service<Request<Body>> for Room {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let nth = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let answer = (self.handler)(Asked { nth, method, headers: request.headers().clone() });
        Box::pin(async move { Ok(answer.await) })
    }
}

pub fn ok() -> Response<Body> {
    Status::ok("").into_http()
}

pub fn unavailable() -> Response<Body> {
    Status::unavailable("as asked").into_http()
}

/// An answer with a body, then either a status or a break.
pub fn body(frames: Vec<Result<Frame<Bytes>, Status>>) -> Response<Body> {
    let frames = futures::stream::iter(frames);
    let body = Body::new(http_body_util::StreamBody::new(frames));
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}

pub fn trailers(code: Code) -> Frame<Bytes> {
    Frame::trailers(HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from(code as i32),
    )]))
}

pub fn call() -> Call {
    Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20))
}

pub async fn ask(wire: &Wire, call: &Call, method: &str) -> Status {
    ask_for(wire, call, method, "", &[]).await
}

/// Asks to the end of the answer.
pub async fn ask_for(
    wire: &Wire,
    call: &Call,
    method: &str,
    asked: &'static str,
    headers: &[(&'static str, &'static str)],
) -> Status {
    let response = open(wire, call, method, asked, headers).await;
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body,
        Err(status) => return status,
    };
    let status = |headers| Status::from_header_map(headers).unwrap();
    body.trailers().map_or_else(|| status(&parts.headers), status)
}

pub async fn open(
    wire: &Wire,
    call: &Call,
    method: &str,
    asked: &'static str,
    headers: &[(&'static str, &'static str)],
) -> Response<Body> {
    let mut request = Request::post(format!("http://room/moim.test.Probe/{method}"))
        .header("content-type", "application/grpc")
        .body(Body::new(Full::from(asked)))
        .unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request.extensions_mut().insert(call.clone());
    wire.clone().oneshot(request).await.unwrap()
}
