//! Instruments as data, and how each kind is made with a meter.

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

use super::label::Label;
use super::watched::Watched;

/// What an instrument measures, told once.
#[derive(Clone, Copy, Debug)]
pub struct Instrument {
    /// By the semantic conventions where they name it, else under `moim.`.
    pub name: &'static str,
    /// How its numbers are to be read.
    pub kind: Kind,
    /// In UCUM; things that are counted stand in braces.
    pub unit: &'static str,
    /// What it tells, in a sentence.
    pub about: &'static str,
    /// All labels it may carry.
    pub labels: &'static [Label],
    /// Where the buckets of a histogram end.
    pub buckets: &'static [f64],
}

/// How numbers are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down, and is added up over processes.
    UpDownCounter,
    /// As it is now.
    Gauge,
    /// Spread over buckets.
    Histogram,
}

impl Kind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::UpDownCounter => "up-down counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Instrument {
    /// Its name as Prometheus has it: with the unit, and `_total` on counters.
    pub fn prometheus(&self) -> String {
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", self.name.replace('.', "_"))
    }

    /// The names of all its series as Prometheus has them.
    pub fn series(&self) -> Vec<String> {
        let name = self.prometheus();
        match self.kind {
            Kind::Histogram => {
                ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).into()
            }
            _ => vec![name],
        }
    }
}

/// A kind of instrument that a meter makes.
pub(super) trait Made {
    const KIND: Kind;

    fn made(meter: &Meter, of: &Instrument) -> Self;
}

impl Made for Counter<u64> {
    const KIND: Kind = Kind::Counter;

    fn made(meter: &Meter, of: &Instrument) -> Self {
        meter.u64_counter(of.name).with_description(of.about).with_unit(of.unit).build()
    }
}

impl Made for UpDownCounter<i64> {
    const KIND: Kind = Kind::UpDownCounter;

    fn made(meter: &Meter, of: &Instrument) -> Self {
        meter.i64_up_down_counter(of.name).with_description(of.about).with_unit(of.unit).build()
    }
}

impl Made for Gauge<u64> {
    const KIND: Kind = Kind::Gauge;

    fn made(meter: &Meter, of: &Instrument) -> Self {
        meter.u64_gauge(of.name).with_description(of.about).with_unit(of.unit).build()
    }
}

impl Made for Histogram<f64> {
    const KIND: Kind = Kind::Histogram;

    fn made(meter: &Meter, of: &Instrument) -> Self {
        let histogram = meter.f64_histogram(of.name).with_boundaries(of.buckets.to_vec());
        histogram.with_description(of.about).with_unit(of.unit).build()
    }
}

impl Made for Watched {
    const KIND: Kind = Kind::UpDownCounter;

    fn made(meter: &Meter, of: &Instrument) -> Self {
        let watched = Self::default();
        let read = watched.clone();
        // The meter keeps what reads it, whatever becomes of what it gives back.
        let _ = meter
            .i64_observable_up_down_counter(of.name)
            .with_description(of.about)
            .with_unit(of.unit)
            .with_callback(move |observer| {
                for (labels, sum) in read.read() {
                    observer.observe(sum, &labels);
                }
            })
            .build();
        watched
    }
}
