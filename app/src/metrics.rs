//! `/metrics` for Prometheus, on a listener of its own.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use moim_kit::metrics;
use moim_kit::task::Tasks;
use tokio::net::TcpListener;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts from now on and tells whoever asks, until the tasks are told to stop.
pub async fn open(listen: &str, tasks: &Tasks) -> anyhow::Result<()> {
    let address: SocketAddr = listen
        .parse()
        .context("the configuration is wrong: telemetry.metrics_listen is no address and port")?;
    metrics::open()?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("metrics cannot be served on {address}"))?;
    let router = Router::new().route("/metrics", get(tell));
    let stopped = tasks.token().cancelled_owned();
    tasks.spawn("metrics", async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        if let Err(error) = served {
            tracing::error!(%error, "metrics are no longer served");
        }
    });
    Ok(())
}

async fn tell() -> Response {
    match metrics::open().and_then(metrics::Catalogue::text) {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
