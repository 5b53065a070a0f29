//! Telling what is measured to a collector, by OTLP over gRPC.

use std::time::Duration;

use opentelemetry_otlp::{MetricExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use uuid::Uuid;

use super::KeyValue;
use crate::fault::Fault;

/// Collectors keep what they are told for minutes; what a crash takes along is not more than this.
const EVERY: Duration = Duration::from_secs(10);
/// For a collector to take it.
const WITHIN: Duration = Duration::from_secs(3);

/// Tells a collector at a URL from time to time; to be called on the runtime.
pub(super) fn reader(url: &str) -> Result<PeriodicReader<MetricExporter>, Fault> {
    let exporter = MetricExporter::builder().with_tonic().with_endpoint(url).with_timeout(WITHIN);
    let exporter = exporter.build().map_err(Fault::internal)?;
    Ok(PeriodicReader::builder(exporter).with_interval(EVERY).build())
}

/// Who tells: processes of one house are told apart by an id of their own.
pub(super) fn resource() -> Resource {
    let id = KeyValue::new("service.instance.id", Uuid::new_v4().to_string());
    Resource::builder().with_service_name("moim").with_attribute(id).build()
}

/// Tells what was measured since the last time, and waits for that, but not for long.
pub(super) async fn flush(provider: SdkMeterProvider) {
    // It waits on a thread: the runtime is needed for what it waits for.
    let flushed = tokio::task::spawn_blocking(move || provider.force_flush());
    match tokio::time::timeout(WITHIN, flushed).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::debug!(%error, "the last metrics were not told"),
        Ok(Err(error)) => tracing::debug!(%error, "the last metrics were not told"),
        Err(_) => tracing::debug!("the last metrics were not told in time"),
    }
}
