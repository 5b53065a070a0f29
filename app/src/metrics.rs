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
use moim_kit::telemetry;
use tokio::net::TcpListener;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts from now on, if anybody is to be told, until the tasks are told to stop.
pub async fn open(config: &telemetry::Config, tasks: &Tasks) -> anyhow::Result<()> {
    let (listen, collector) = (config.metrics_listen.as_str(), config.otlp_url.as_str());
    let collector = (!collector.is_empty()).then_some(collector);
    if listen.is_empty() && collector.is_none() {
        return Ok(());
    }
    let address = (!listen.is_empty())
        .then(|| listen.parse::<SocketAddr>())
        .transpose()
        .context("the configuration is wrong: telemetry.metrics_listen is no address and port")?;
    calls::know(moim_proto::METHODS);
    metrics::open_to(Listeners { page: address.is_some(), collector })
        .context("the configuration is wrong: telemetry.otlp_url is no address to send to")?;
    match address {
        Some(address) => serve(address, tasks).await,
        None => Ok(()),
    }
}

async fn serve(address: SocketAddr, tasks: &Tasks) -> anyhow::Result<()> {
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
