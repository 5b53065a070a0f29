//! A running endpoint on a port of its own, and ways to talk to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_graphql::{Data, Value};
use http::StatusCode;
use moim_bff::guard::EdgeCode;
use moim_bff::http::{Admitted, Arrival, Edge, Readiness, Refusal, Settings, Via, router, serve};
use moim_kit::task::Tasks;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::schema::{Caller, Deeds, tiny};

/// Long enough for anything that happens at all.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const GRAPHQL: &str = "application/graphql-response+json";
pub const JSON: &str = "application/json";

/// Lets in by the words of the token.
#[derive(Clone, Default)]
pub struct Doorman {
    revoked: Arc<AtomicBool>,
}

impl Edge for Doorman {
    async fn admit(&self, arrival: Arrival<'_>) -> Result<Admitted, Refusal> {
        let header = arrival.headers.get("authorization");
        let token = header.map_or("", |value| value.to_str().unwrap_or("bad"));
        let expires_at = match token.strip_prefix("Bearer ") {
            None if token.is_empty() => None,
            Some("good" | "revocable") => None,
            Some("short") => Some(Instant::now() + Duration::from_millis(300)),
            Some("busy") => return Err(Refusal::rate_limited("Slow down.", 7)),
            Some("lost") => return Err(Refusal::unavailable("Nobody knows.", 2)),
            Some("barred") => {
                let (status, code) = (StatusCode::FORBIDDEN, EdgeCode::Forbidden);
                return Err(Refusal::new(status, code, "Not you."));
            }
            // Good enough to open a socket, not to do anything on it.
            Some("stale") if arrival.operation.is_none() => None,
            _ => return Err(Refusal::unauthenticated("The token is not good.")),
        };
        let mut data = Data::default();
        data.insert(Caller(if token.is_empty() { "anonymous" } else { token }.to_owned()));
        let mut admitted = Admitted::with(data).finally(|outcome| {
            outcome.extensions.insert("failed".to_owned(), Value::Boolean(outcome.failed));
            if outcome.via == Via::Http {
                outcome.headers.insert("x-moim-seen", "token".parse().unwrap());
            }
        });
        admitted.expires_at = expires_at;
        if !token.is_empty() {
            admitted.caller = Some(token.into());
        }
        if token == "Bearer revocable" {
            let revoked = Arc::clone(&self.revoked);
            admitted.still_good = Some(Arc::new(move || !revoked.load(Ordering::SeqCst)));
        }
        admitted.trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
        Ok(admitted)
    }
}

pub struct Stand {
    pub address: SocketAddr,
    pub deeds: Deeds,
    pub tasks: Tasks,
    /// Set once the token `revocable` is good no more.
    pub revoked: Arc<AtomicBool>,
}

impl Stand {
    pub async fn open(settings: Settings) -> Self {
        Self::open_with(settings, Readiness::always()).await
    }

    pub async fn open_with(settings: Settings, readiness: Readiness) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, deeds, tasks) =
            (listener.local_addr().unwrap(), Deeds::default(), Tasks::new());
        let limits = settings.limits.clone();
        let revoked = Arc::<AtomicBool>::default();
        let doorman = Doorman { revoked: Arc::clone(&revoked) };
        let router = router(tiny(deeds.clone()), doorman, settings, readiness, &tasks);
        tasks.spawn("listener", serve(listener, router, limits, tasks.clone()));
        Self { address, deeds, tasks, revoked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a query as JSON, accepting `accept`.
    pub async fn post(&self, query: &str, accept: &str) -> Told {
        self.post_json(&json!({ "query": query }), accept).await
    }

    pub async fn post_json(&self, body: &Json, accept: &str) -> Told {
        let request = reqwest::Client::new().post(self.url("/graphql")).json(body);
        told(request.header("accept", accept)).await
    }

    /// Posts a body as it is.
    pub async fn post_raw(&self, body: impl Into<reqwest::Body>, kind: &str) -> Told {
        let request = reqwest::Client::new().post(self.url("/graphql")).body(body);
        told(request.header("content-type", kind)).await
    }

    /// Asks by URL; `query` is encoded here.
    pub async fn get(&self, query: &str, headers: &[(&str, &str)]) -> Told {
        let mut request =
            reqwest::Client::new().get(self.url("/graphql")).query(&[("query", query)]);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        told(request).await
    }

    pub async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes bytes on a connection of their own and reads until the other side closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.tcp().await;
        stream.write_all(bytes).await.unwrap();
        read_to_end(&mut stream).await
    }
}

pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    // A reset after the answer is an end like any other.
    let _ = read.expect("the connection was never closed");
    String::from_utf8_lossy(&text).into_owned()
}

/// An answer.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Json,
}

pub async fn told(request: reqwest::RequestBuilder) -> Told {
    let response = timeout(PATIENCE, request.send()).await.expect("no answer").unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Told { status, headers, body: serde_json::from_str(&text).unwrap_or(Json::String(text)) }
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Media type without its parameters.
    pub fn media(&self) -> &str {
        self.header("content-type").split(';').next().unwrap()
    }

    /// Code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("")
    }

    pub fn has_data(&self) -> bool {
        self.body.get("data").is_some()
    }
}
