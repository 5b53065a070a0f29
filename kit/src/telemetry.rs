//! Logs: for people at a terminal, or JSON lines for machines.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

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
        Format::Json => builder.json().flatten_event(true).with_current_span(true).try_init(),
    };
    Ok(())
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
