//! What is measured, for whoever wants it: `/metrics` on a listener of its own, and a collector by OTLP.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use moim_kit::metrics::{self, Listeners, calls};
use moim_kit::task::Tasks;
use moim_kit::telemetry::{self, Telemetry};
use tokio::net::TcpListener;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts from now on, if anybody is to be told.
pub fn open(config: &telemetry::Config, telemetry: &Telemetry) -> anyhow::Result<()> {
    let collector = Some(config.otlp_url.as_str()).filter(|url| !url.is_empty());
    let page = !config.metrics_listen.is_empty();
    if page || collector.is_some() {
        calls::know(moim_proto::METHODS);
        let resource = telemetry.resource().clone();
        metrics::open_to(Listeners { page, collector, resource })?;
    }
    Ok(())
}

/// Tells whoever asks, if anybody is to, until the tasks are told to stop.
pub async fn serve(config: &telemetry::Config, tasks: &Tasks) -> anyhow::Result<()> {
    if config.metrics_listen.is_empty() {
        return Ok(());
    }
    let address: SocketAddr = config
        .metrics_listen
        .parse()
        .context("the configuration is wrong: telemetry.metrics_listen is no address and port")?;
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
    match metrics::text() {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
