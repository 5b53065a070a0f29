//! An expression asks for series of the catalogue, by labels that they carry.

use moim_kit::metrics::{INSTRUMENTS, Kind};

use crate::promql::used;

/// Labels of a series, if the catalogue has it.
fn labels(series: &str) -> Option<Vec<String>> {
    let of = INSTRUMENTS.iter().find(|of| of.series().iter().any(|it| it == series))?;
    let mut labels: Vec<_> = of.labels.iter().map(|label| label.prometheus()).collect();
    if of.kind == Kind::Histogram && series.ends_with("_bucket") {
        labels.push("le".to_owned());
    }
    Some(labels)
}

/// What is wrong with an expression.
pub fn wrong(expression: &str) -> Vec<String> {
    let used = used(expression);
    let mut found = Vec::new();
    if used.series.is_empty() {
        found.push(format!("asks for nothing: {expression}"));
    }
    for (series, chosen_by) in &used.series {
        let Some(labels) = labels(series) else {
            found.push(format!("{series} is not in the catalogue"));
            continue;
        };
        for label in chosen_by.iter().chain(&used.by) {
            if !labels.contains(label) {
                found.push(format!("{series} has no label {label}"));
            }
        }
    }
    found
}

#[test]
fn what_no_process_tells_is_found() {
    let sound = "sum by (room) (rate(moim_facts_told_total{room=~\"$room\"}[5m]))";
    assert_eq!(wrong(sound), Vec::<String>::new());
    for (expression, expected) in [
        ("rate(moim_facts_said_total[5m])", "moim_facts_said_total is not in the catalogue"),
        ("moim_facts_told", "moim_facts_told is not in the catalogue"),
        (
            "sum by (region) (moim_outbox_unpublished)",
            "moim_outbox_unpublished has no label region",
        ),
        ("moim_redis_up{room=\"member\"}", "moim_redis_up has no label room"),
        (
            "sum by (le) (moim_overhead_seconds_count)",
            "moim_overhead_seconds_count has no label le",
        ),
        ("vector(1)", "asks for nothing: vector(1)"),
    ] {
        assert_eq!(wrong(expression), [expected]);
    }
}
