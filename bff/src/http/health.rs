//! Whether the program lives, and whether it may be sent work.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A check that does not answer in time counts as red.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells whether work may be sent here, or what is missing.
#[derive(Clone)]
pub struct Readiness {
    check: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Readiness {
    /// Asks this each time; the text of an error is shown to whoever asks.
    pub fn new(
        check: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    ) -> Self {
        Self { check: Arc::new(check) }
    }

    /// Ready as soon as the endpoint answers at all.
    pub fn always() -> Self {
        Self::new(|| Box::pin(async { Ok(()) }))
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readiness")
    }
}

/// What `/readyz` asks.
#[derive(Clone)]
pub(super) struct Gauge {
    pub readiness: Readiness,
    pub leaving: CancellationToken,
}

pub(super) async fn live() -> Response {
    ([(CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

pub(super) async fn ready(State(gauge): State<Gauge>) -> Response {
    let red = |reason: String| {
        (StatusCode::SERVICE_UNAVAILABLE, [(CACHE_CONTROL, "no-store")], reason + "\n")
            .into_response()
    };
    if gauge.leaving.is_cancelled() {
        return red("stopping".to_owned());
    }
    match timeout(PATIENCE, (gauge.readiness.check)()).await {
        Ok(Ok(())) => live().await,
        Ok(Err(reason)) => red(reason),
        Err(_) => red("the check took too long".to_owned()),
    }
}
