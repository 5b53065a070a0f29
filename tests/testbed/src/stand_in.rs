//! A server in the place of a room that answers every call alike, and counts them.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use moim_kit::task::Tasks;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

/// What every call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// This failure, at once.
    Fails(Code),
    /// No answer at all.
    Hangs,
}

/// Stands where a room should be; gone when it is dropped.
pub struct StandIn {
    address: SocketAddr,
    inner: Arc<Inner>,
    tasks: Tasks,
}

struct Inner {
    manner: Mutex<Manner>,
    arrived: Mutex<Vec<Instant>>,
}

impl StandIn {
    /// Listens on a port of its own.
    pub async fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, arrived) = (Mutex::new(manner), Mutex::default());
        let inner = Arc::new(Inner { manner, arrived });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let server = Server::builder().add_routes(Routes::from(router));
        let tasks = Tasks::new();
        let stopped = tasks.token().cancelled_owned();
        tasks.spawn("stand-in", async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        Self { address, inner, tasks }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers otherwise from now on.
    pub fn set(&self, manner: Manner) {
        *self.inner.manner.lock().unwrap() = manner;
    }

    /// When calls have arrived, asking for health left out.
    pub fn arrived(&self) -> Vec<Instant> {
        self.inner.arrived.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    if !request.uri().path().starts_with("/grpc.health.") {
        inner.arrived.lock().unwrap().push(Instant::now());
    }
    let manner = *inner.manner.lock().unwrap();
    match manner {
        Manner::Fails(code) => Status::new(code, "as the test wants it").into_http::<Body>(),
        Manner::Hangs => pending().await,
    }
}
