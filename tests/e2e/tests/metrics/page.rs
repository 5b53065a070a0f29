//! A page of metrics, read and held against the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use moim::house::ROOMS;
use moim_bff::guard::EdgeCode;
use moim_bff::http::ROUTES;
use moim_kit::metrics::label::{Label, OTHER, Values};
use moim_kit::metrics::{INSTRUMENTS, Instrument, Kind};
use moim_proto::METHODS;

/// One number with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub number: f64,
}

/// What a process serves right now.
pub async fn ask(address: &str) -> String {
    let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert!(answer.status().is_success());
    answer.text().await.unwrap()
}

/// Every number on a page.
pub fn read(page: &str) -> Vec<Series> {
    page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(line).collect()
}

fn line(line: &str) -> Series {
    let (series, number) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut rest = labels;
    let mut labels = BTreeMap::new();
    while let Some((key, after)) = rest.split_once("=\"") {
        // None of our values holds a quote, which is one more thing this finds.
        let (value, after) = after.split_once('"').unwrap();
        labels.insert(key.trim_start_matches(',').to_owned(), value.to_owned());
        rest = after;
    }
    assert_eq!(rest, "}", "{line}");
    Series { name: name.to_owned(), labels, number: number.parse().unwrap() }
}

/// The instrument behind a series.
pub fn instrument(series: &Series) -> Option<&'static Instrument> {
    INSTRUMENTS.iter().copied().find(|of| of.series().contains(&series.name))
}

/// What stands on a page that the catalogue does not have.
pub fn breaches(page: &[Series]) -> Vec<String> {
    let mut found = Vec::new();
    for series in page {
        let Some(of) = instrument(series) else {
            found.push(format!("{} is not in the catalogue", series.name));
            continue;
        };
        let is_bucket = of.kind == Kind::Histogram && series.name.ends_with("_bucket");
        for (key, value) in &series.labels {
            let label = of.labels.iter().find(|label| label.prometheus() == *key);
            match label {
                None if key == "le" && is_bucket => {}
                None => found.push(format!("{} carries {key}", series.name)),
                Some(label) if !may_be(label, value) => {
                    found.push(format!("{} has a {key} of {value}", series.name));
                }
                Some(_) => {}
            }
        }
    }
    found
}

/// Instruments with a number other than 0 somewhere on a page.
pub fn moved(page: &[Series]) -> BTreeSet<&'static str> {
    let moved = page.iter().filter(|series| series.number != 0.0);
    moved.filter_map(|series| instrument(series).map(|of| of.name)).collect()
}

fn may_be(label: &Label, value: &str) -> bool {
    match label.values {
        Values::These(words) => words.contains(&value),
        Values::Of("rooms") => ROOMS.contains(&value) || value == OTHER,
        Values::Of("routes of the endpoint") => ROUTES.contains(&value),
        Values::Of("statuses") => value.parse().is_ok_and(|it: u16| (100..600).contains(&it)),
        Values::Of("statuses from 500 on") => {
            value.parse().is_ok_and(|it: u16| (500..600).contains(&it))
        }
        Values::Of("operations of listed documents") => false,
        Values::Of("codes of the request (codes.md)") => EdgeCode::from_name(value).is_some(),
        Values::Of("methods of the contracts, or `_OTHER`") => {
            value == OTHER || METHODS.iter().any(|path| path[1..] == *value)
        }
        Values::Of(other) => panic!("nobody knows what {other} are"),
    }
}

#[test]
fn what_is_not_in_the_catalogue_is_found_on_a_page() {
    let sound = "# HELP x\nmoim_facts_told_total{room=\"member\"} 2\n\
                 moim_overhead_seconds_bucket{graphql_operation_type=\"query\",le=\"0.1\"} 1\n\
                 moim_redis_up 1\n";
    assert_eq!(breaches(&read(sound)), Vec::<String>::new());
    for (line, expected) in [
        ("moim_made_up 1", "moim_made_up is not in the catalogue"),
        ("moim_redis_up{room=\"member\"} 1", "moim_redis_up carries room"),
        ("moim_facts_told_total{room=\"attic\"} 1", "moim_facts_told_total has a room of attic"),
        (
            "http_server_active_requests{http_request_method=\"BREW\"} 1",
            "http_server_active_requests has a http_request_method of BREW",
        ),
    ] {
        assert_eq!(breaches(&read(line)), [expected]);
    }
}
