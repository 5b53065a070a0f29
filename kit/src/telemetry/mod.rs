//! Logs, for people at a terminal or as JSON lines for machines; and what is sent by OTLP.

mod json;
mod outlet;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use crate::fault::{Code, Fault};
use crate::task::Tasks;
use crate::trace;
use json::Traced;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One coloured line per event.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// What to log and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Look of log lines.
    pub format: Format,
    /// Levels by target, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// Where metrics are served to Prometheus, such as `127.0.0.1:9464`; empty: nowhere.
    pub metrics_listen: String,
    /// Where spans and metrics are sent by OTLP over gRPC, such as `http://127.0.0.1:4317`; empty: nowhere.
    pub otlp_url: String,
    /// Share of the traces begun here that are sent, 0 to 1; a trace begun elsewhere goes on as its beginner chose.
    pub sample_ratio: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            format: Format::Pretty,
            filter: "info,tower_governor=warn".to_owned(),
            metrics_listen: String::new(),
            otlp_url: String::new(),
            sample_ratio: 1.0,
        }
    }
}

/// A filter that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("telemetry.filter: {0}")]
pub struct BadFilter(String);

/// Starts logging to standard error; a second call in the same process changes nothing.
pub fn init(config: &Config) -> Result<(), BadFilter> {
    let filter =
        EnvFilter::try_new(&config.filter).map_err(|error| BadFilter(error.to_string()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true);
    let _ = match config.format {
        Format::Pretty => builder.compact().try_init(),
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .map_event_format(Traced)
            .try_init(),
    };
    Ok(())
}

/// What is sent elsewhere while a house stands.
#[derive(Debug)]
pub struct Telemetry {
    /// Of their own, for they end after all others and send what those had to tell.
    tasks: Tasks,
}

/// Sends from now on what the configuration says, in the name of `moim` or of a room, such as `moim-member`. There is
/// one for a whole process.
pub fn open(config: &Config, service: &str) -> Result<Telemetry, Fault> {
    let telemetry = Telemetry { tasks: Tasks::new() };
    if config.otlp_url.is_empty() {
        return Ok(telemetry);
    }
    if !config.otlp_url.starts_with("http://") {
        return Err(invalid("telemetry.otlp_url must be empty or begin with http://"));
    }
    if !(0.0..=1.0).contains(&config.sample_ratio) {
        return Err(invalid("telemetry.sample_ratio must be between 0 and 1"));
    }
    let resource = resource(service);
    // Metrics join here, with a reader of the same resource and URL, and end in `close`.
    outlet::open(&config.otlp_url, config.sample_ratio, &resource, &telemetry.tasks)?;
    Ok(telemetry)
}

impl Telemetry {
    /// Sends what is left and ends; false when that was not done by the deadline.
    pub async fn close(self, within: Duration) -> bool {
        trace::collect_nothing();
        self.tasks.stop(within).await
    }
}

/// Who sends it.
fn resource(service: &str) -> Resource {
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_service_name(service.to_owned())
        .with_attributes([
            KeyValue::new("service.namespace", "moim"),
            KeyValue::new("service.instance.id", Uuid::new_v4().to_string()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build()
}

fn invalid(words: &'static str) -> Fault {
    Fault::new(Code::Invalid, "CONFIG_INVALID", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_makes_no_sense_is_refused() {
        let config = Config { filter: "info=nonsense=x".to_owned(), ..Config::default() };
        assert!(init(&config).is_err());
    }
}
