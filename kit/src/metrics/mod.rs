//! The one catalogue of what is measured: a page for Prometheus, and OTLP; nothing is counted until it is opened.
//!
//! What there is stands in `declared.rs`, each instrument once. Labels come from closed sets (`label.rs`): nothing
//! that a client sends is ever a value.

pub mod calls;
mod declared;
mod instrument;
pub mod label;
mod push;
mod waits;
mod watched;

use std::sync::OnceLock;

pub use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
pub use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use tokio::time::Instant;

use crate::fault::Fault;

pub use declared::{Catalogue, INSTRUMENTS};
pub use instrument::{Instrument, Kind};
pub(crate) use waits::{Waiting, Waits};
pub use watched::Watched;

static OPENED: OnceLock<Opened> = OnceLock::new();

#[derive(Debug)]
struct Opened {
    catalogue: Catalogue,
    registry: Registry,
    provider: SdkMeterProvider,
}

/// Who is told.
#[derive(Clone, Copy, Debug)]
pub struct Listeners<'a> {
    /// Whoever asks for [`text`].
    pub page: bool,
    /// A collector, by OTLP over gRPC at this URL.
    pub collector: Option<&'a str>,
}

impl Opened {
    fn try_new(listeners: Listeners<'_>) -> Result<Self, Fault> {
        let registry = Registry::new();
        let mut provider = SdkMeterProvider::builder().with_resource(push::resource());
        // Each reader sums up by itself, so none is there for nobody.
        if listeners.page {
            let exporter = opentelemetry_prometheus::exporter()
                .with_registry(registry.clone())
                .scope_info_enabled(false)
                .without_target_info()
                .build()
                .map_err(Fault::internal)?;
            provider = provider.with_reader(exporter);
        }
        if let Some(url) = listeners.collector {
            provider = provider.with_reader(push::reader(url)?);
        }
        let provider = provider.build();
        let catalogue = Catalogue::new(&provider.meter("moim"));
        Ok(Self { catalogue, registry, provider })
    }
}

/// Counts from now on, for the page; a second call in the same process answers the same catalogue.
pub fn open() -> Result<&'static Catalogue, Fault> {
    open_to(Listeners { page: true, collector: None })
}

/// Counts from now on, for these; a second call in the same process changes nothing. To be called on the runtime
/// when there is a collector.
pub fn open_to(listeners: Listeners<'_>) -> Result<&'static Catalogue, Fault> {
    if let Some(opened) = OPENED.get() {
        return Ok(&opened.catalogue);
    }
    let made = Opened::try_new(listeners)?;
    Ok(&OPENED.get_or_init(|| made).catalogue)
}

/// The catalogue, when anybody wants to know.
pub fn catalogue() -> Option<&'static Catalogue> {
    OPENED.get().map(|opened| &opened.catalogue)
}

/// The instant, when anybody wants to know how long something takes.
pub fn now() -> Option<Instant> {
    OPENED.get().map(|_| Instant::now())
}

/// In the text format of Prometheus.
pub fn text() -> Result<String, Fault> {
    let Some(opened) = OPENED.get() else { return Ok(String::new()) };
    TextEncoder::new().encode_to_string(&opened.registry.gather()).map_err(Fault::internal)
}

/// Tells a collector what it was not told yet.
pub async fn flush() {
    if let Some(opened) = OPENED.get() {
        push::flush(opened.provider.clone()).await;
    }
}

/// Counts one up for as long as it is held.
#[derive(Debug)]
pub struct Held<const N: usize> {
    of: &'static UpDownCounter<i64>,
    labels: [KeyValue; N],
}

impl<const N: usize> Held<N> {
    /// One more.
    pub fn new(of: &'static UpDownCounter<i64>, labels: [KeyValue; N]) -> Self {
        of.add(1, &labels);
        Self { of, labels }
    }
}

impl<const N: usize> Drop for Held<N> {
    fn drop(&mut self) {
        self.of.add(-1, &self.labels);
    }
}

/// Label of the room that is measured.
pub fn room(name: &'static str) -> KeyValue {
    KeyValue::new("room", name)
}

/// Labels of a room and of the one it hears.
pub fn hearing(name: &'static str, source: &'static str) -> [KeyValue; 2] {
    [room(name), KeyValue::new("source", source)]
}

/// Labels of calls of a class to a room.
pub fn calling(name: &'static str, class: &'static str) -> [KeyValue; 2] {
    [room(name), KeyValue::new("class", class)]
}

/// Keys were looked for in a cache, and so many were found and not found.
pub fn looked_up(cache: &'static str, hits: usize, misses: usize) {
    let Some(catalogue) = catalogue() else { return };
    for (word, many) in [("hit", hits), ("miss", misses)] {
        if many > 0 {
            let labels = [KeyValue::new("cache", cache), KeyValue::new("found", word)];
            catalogue.cache_reads.add(many as u64, &labels);
        }
    }
}

/// As histograms of time take it.
pub fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

/// A breaker that lets calls through.
pub const BREAKER_CLOSED: u64 = 0;
/// A breaker that lets a few through to find out.
pub const BREAKER_HALF_OPEN: u64 = 1;
/// A breaker that lets none through.
pub const BREAKER_OPEN: u64 = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text() {
        let catalogue = open().unwrap();
        catalogue.taken.add(2, &hearing("schedule", "member"));
        catalogue.lag.record(7, &hearing("schedule", "member"));
        let held = Held::new(&catalogue.subscriptions, []);
        let text = text().unwrap();
        for line in [
            r#"moim_facts_taken_total{room="schedule",source="member"} 2"#,
            r#"moim_consumer_lag{room="schedule",source="member"} 7"#,
            "moim_subscriptions_open 1",
        ] {
            assert!(text.lines().any(|it| it == line), "{text}");
        }
        drop(held);
        assert!(super::text().unwrap().contains("moim_subscriptions_open 0"));
    }

    #[test]
    fn a_method_that_no_contract_has_is_told_as_any_other() {
        let catalogue = open().unwrap();
        calls::know(&["/moim.member.v1.MemberService/Get"]);
        let took = Duration::from_millis(3);
        for path in ["/moim.member.v1.MemberService/Get", "/moim.member.v1.MemberService/Steal", ""]
        {
            calls::answered(catalogue, path, took, tonic::Code::Unimplemented);
        }
        let text = text().unwrap();
        let counted = |method: &str| {
            let of = |line: &&str| line.starts_with("rpc_server_call_duration_seconds_count");
            let method = format!("rpc_method=\"{method}\"");
            let line = text.lines().filter(of).find(|line| line.contains(&method));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        };
        assert_eq!(counted("moim.member.v1.MemberService/Get"), Some(1), "{text}");
        assert_eq!(counted(label::OTHER), Some(2), "{text}");
        assert!(!text.contains("Steal"));
    }
}
