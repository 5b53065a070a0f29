//! `docs/metrics.md` and a snapshot tell what the catalogue has.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use moim_kit::metrics::label::Values;
use moim_kit::metrics::{INSTRUMENTS, Instrument};

const TOLD: &str = include_str!("../../../docs/metrics.md");

const HEAD: &str = "# Metrics

Everything that a process measures when `telemetry.metrics_listen` or `telemetry.otlp_url` is set. Names, units and labels are
those of OpenTelemetry's semantic conventions (1.45) where they have one for it, and begin with `moim.` where they have
none. Prometheus has `_` for `.`, the unit at the end, `_total` on counters, and `_bucket`, `_sum` and `_count` of
histograms. What to do about them is told in [operating.md](operating.md).

This page is made from the code and held to it by a test.
";

fn labels(of: &Instrument) -> String {
    let keys: Vec<_> = of.labels.iter().map(|label| format!("`{}`", label.key)).collect();
    keys.join(", ")
}

fn values(of: Values) -> String {
    match of {
        Values::These(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Values::Of(what) => what.to_owned(),
    }
}

/// The page as it ought to be.
fn page() -> String {
    let mut page = HEAD.to_owned();
    page += "\n## Instruments\n\n| name | in Prometheus | kind | unit | labels | what it tells |\n";
    page += "| --- | --- | --- | --- | --- | --- |\n";
    for of in INSTRUMENTS {
        let (prometheus, kind, labels) = (of.prometheus(), of.kind.name(), labels(of));
        let Instrument { name, unit, about, .. } = of;
        let _ =
            writeln!(page, "| `{name}` | `{prometheus}` | {kind} | {unit} | {labels} | {about} |");
    }
    page += "\n## Labels\n\nA label is absent where there is nothing to say.\n\n";
    page += "| label | values | on |\n| --- | --- | --- |\n";
    let mut rows: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for of in INSTRUMENTS {
        for label in of.labels {
            let on = rows.entry((label.key, values(label.values))).or_default();
            on.push(format!("`{}`", of.name));
        }
    }
    for ((key, values), on) in rows {
        let on = if on.len() > 5 { "many".to_owned() } else { on.join(", ") };
        let _ = writeln!(page, "| `{key}` | {values} | {on} |");
    }
    page
}

#[test]
fn the_page_lists_what_the_catalogue_has() {
    let page = page();
    if page != TOLD {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metrics.md");
        std::fs::write(&made, &page).unwrap();
        panic!("docs/metrics.md is not what the code says; copy {} over it", made.display());
    }
}

#[test]
fn the_catalogue_is_as_it_was_looked_at() {
    let mut lines = String::new();
    for of in INSTRUMENTS {
        let _ = writeln!(lines, "{} {} [{}] {}", of.name, of.kind.name(), of.unit, labels(of));
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn every_instrument_is_named_once_described_and_has_buckets_only_as_a_histogram() {
    let mut series: Vec<_> = INSTRUMENTS.iter().flat_map(|of| of.series()).collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all, "two instruments share a series");
    for of in INSTRUMENTS {
        assert!(of.about.ends_with('.') && !of.about.contains('|'), "{}", of.name);
        let is_histogram = of.kind == moim_kit::metrics::Kind::Histogram;
        assert_eq!(is_histogram, !of.buckets.is_empty(), "{}", of.name);
        assert!(of.buckets.is_sorted(), "{}", of.name);
        let mut keys: Vec<_> = of.labels.iter().map(|label| label.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), of.labels.len(), "{} carries a label twice", of.name);
    }
}
