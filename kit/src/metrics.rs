//! The one catalogue of what is measured, and its text for Prometheus; nothing is counted until it is opened.

use std::sync::OnceLock;

pub use opentelemetry::KeyValue;
pub use opentelemetry::metrics::{Counter, Gauge};
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use crate::fault::Fault;

static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

/// Everything that is measured; one for all rooms of a process, told apart by the label `room`.
#[derive(Debug)]
pub struct Catalogue {
    /// Facts that got a position in their room's log.
    pub told: Counter<u64>,
    /// Facts that the broker acknowledged.
    pub carried: Counter<u64>,
    /// Facts that were taken in from another room, repetitions too.
    pub taken: Counter<u64>,
    /// Facts that were put aside because they always failed, and messages that are none.
    pub buried: Counter<u64>,
    /// Copies that were found behind their owner.
    pub drift_found: Counter<u64>,
    /// Copies that were brought up to their owner.
    pub drift_mended: Counter<u64>,
    /// Facts that wait for a position.
    pub unpublished: Gauge<u64>,
    /// Facts with a position that wait for the broker.
    pub uncarried: Gauge<u64>,
    /// Facts of another room that were not taken in yet.
    pub lag: Gauge<u64>,
    /// Dead letters there are.
    pub dead_letters: Gauge<u64>,
    /// Events that wait for a state or behind a dead letter.
    pub parked: Gauge<u64>,
    /// Accounts of a ledger that are not as their entries say.
    pub ledger_breaches: Gauge<u64>,
    /// What the breaker before a room does: one of the numbers below.
    pub breaker: Gauge<u64>,
    /// Calls not made because the breaker is not closed.
    pub calls_refused: Counter<u64>,
    /// Calls not made because too many were in flight.
    pub calls_shed: Counter<u64>,
    /// Calls made again.
    pub calls_repeated: Counter<u64>,
    /// Calls that shared the answer to another.
    pub calls_shared: Counter<u64>,
    /// Times that an address of a room was put aside.
    pub ejected: Counter<u64>,
    /// Whether Redis answers this process: 1 or 0; nothing where none is configured.
    pub shared_up: Gauge<u64>,
    /// Calls that went on without Redis.
    pub shared_lost: Counter<u64>,
    /// Connections between rooms refused for what was shown.
    pub certificates_refused: Counter<u64>,
    /// Seconds until the certificate shown to other rooms ends.
    pub certificate_left: Gauge<u64>,
    /// What rooms turned away at their sockets, by what was too much.
    pub turned_away: Counter<u64>,
    /// Calls answered from a replica of the room's database.
    pub replica_reads: Counter<u64>,
    /// Calls that a replica could have answered and the primary did, by why.
    pub primary_reads: Counter<u64>,
    registry: Registry,
    _provider: SdkMeterProvider,
}

impl Catalogue {
    fn try_new() -> Result<Self, Fault> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .map_err(Fault::internal)?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("moim");
        Ok(Self {
            told: counter(&meter, "moim_facts_told", "Facts given a position in the room's log"),
            carried: counter(&meter, "moim_facts_carried", "Facts acknowledged by the broker"),
            taken: counter(&meter, "moim_facts_taken", "Facts taken in from another room"),
            buried: counter(&meter, "moim_facts_buried", "Facts and messages put aside"),
            drift_found: counter(&meter, "moim_drift_found", "Copies found behind their owner"),
            drift_mended: counter(&meter, "moim_drift_mended", "Copies brought up to their owner"),
            unpublished: gauge(&meter, "moim_outbox_unpublished", "Facts waiting for a position"),
            uncarried: gauge(&meter, "moim_outbox_uncarried", "Facts waiting for the broker"),
            lag: gauge(&meter, "moim_consumer_lag", "Facts of another room not taken in yet"),
            dead_letters: gauge(&meter, "moim_dead_letters", "Dead letters there are"),
            parked: gauge(&meter, "moim_events_parked", "Events waiting for what they belong to"),
            ledger_breaches: gauge(
                &meter,
                "moim_ledger_breaches",
                "Accounts that are not as their entries say",
            ),
            breaker: gauge(
                &meter,
                "moim_breaker_state",
                "Breaker before a room: 0 closed, 1 half-open, 2 open",
            ),
            calls_refused: counter(&meter, "moim_calls_refused", "Calls refused by a breaker"),
            calls_shed: counter(&meter, "moim_calls_shed", "Calls for which there was no place"),
            calls_repeated: counter(&meter, "moim_calls_repeated", "Calls made again"),
            calls_shared: counter(&meter, "moim_calls_shared", "Calls that shared an answer"),
            ejected: counter(&meter, "moim_addresses_ejected", "Addresses of a room put aside"),
            shared_up: gauge(&meter, "moim_redis_up", "Whether Redis answers this process"),
            shared_lost: counter(&meter, "moim_redis_lost", "Calls that went on without Redis"),
            certificates_refused: counter(
                &meter,
                "moim_certificates_refused",
                "Connections between rooms refused for a certificate",
            ),
            certificate_left: gauge(
                &meter,
                "moim_certificate_left_s",
                "Seconds until the certificate shown to other rooms ends",
            ),
            turned_away: counter(
                &meter,
                "moim_turned_away",
                "Connections and calls turned away at a room's socket",
            ),
            replica_reads: counter(&meter, "moim_replica_reads", "Calls answered from a replica"),
            primary_reads: counter(
                &meter,
                "moim_primary_reads",
                "Calls that a replica could have answered and the primary did",
            ),
            registry,
            _provider: provider,
        })
    }

    /// In the text format of Prometheus.
    pub fn text(&self) -> Result<String, Fault> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(Fault::internal)
    }
}

fn counter(meter: &Meter, name: &'static str, about: &'static str) -> Counter<u64> {
    meter.u64_counter(name).with_description(about).build()
}

fn gauge(meter: &Meter, name: &'static str, about: &'static str) -> Gauge<u64> {
    meter.u64_gauge(name).with_description(about).build()
}

/// Counts from now on; a second call in the same process answers the same catalogue.
pub fn open() -> Result<&'static Catalogue, Fault> {
    if let Some(catalogue) = CATALOGUE.get() {
        return Ok(catalogue);
    }
    let made = Catalogue::try_new()?;
    Ok(CATALOGUE.get_or_init(|| made))
}

/// The catalogue, when anybody wants to know.
pub fn catalogue() -> Option<&'static Catalogue> {
    CATALOGUE.get()
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

/// A breaker that lets calls through.
pub const BREAKER_CLOSED: u64 = 0;
/// A breaker that lets a few through to find out.
pub const BREAKER_HALF_OPEN: u64 = 1;
/// A breaker that lets none through.
pub const BREAKER_OPEN: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text() {
        let catalogue = open().unwrap();
        catalogue.taken.add(2, &hearing("schedule", "member"));
        catalogue.lag.record(7, &hearing("schedule", "member"));
        let text = catalogue.text().unwrap();
        for line in [
            r#"moim_facts_taken_total{room="schedule",source="member"} 2"#,
            r#"moim_consumer_lag{room="schedule",source="member"} 7"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{text}");
        }
    }
}
