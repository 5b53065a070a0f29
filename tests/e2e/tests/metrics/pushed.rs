//! A collector is told the same by OTLP, by every process, and once more at its stop.

use std::collections::BTreeSet;
use std::time::Duration;

use moim_e2e::{Meters, Platform, json};
use moim_kit::metrics::INSTRUMENTS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_of_a_fleet_tells_a_collector_what_is_in_the_catalogue() {
    let meters = Meters::open().await;
    let url = meters.url();
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let Some(mut platform) = Platform::apart_with(&knobs).await else { return };
    // Whoever starts a gathering is known in its room, so the word of them went over the bus.
    platform.sign_up("somebody").await.create_gathering(json!({})).await;
    for process in &mut platform.processes {
        process.terminate();
    }
    for process in &mut platform.processes {
        process.end_within(Duration::from_secs(60)).await;
    }
    let told = meters.told();
    let by: BTreeSet<_> = told.values().flat_map(|it| &it.by).collect();
    assert_eq!(by.len(), platform.processes.len(), "{by:?}");
    for (name, measured) in &told {
        let of = INSTRUMENTS.iter().find(|of| of.name == name);
        let of = of.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        assert_eq!(measured.unit, of.unit, "{name}");
        let declared: BTreeSet<_> = of.labels.iter().map(|label| label.key.to_owned()).collect();
        let more: Vec<_> = measured.labels.difference(&declared).collect();
        assert!(more.is_empty(), "{name} carries {more:?}");
    }
    for name in [
        "http.server.request.duration",
        "graphql.operation.duration",
        "moim.overhead",
        "rpc.client.call.duration",
        "rpc.server.call.duration",
        "db.client.operation.duration",
        "db.client.connection.count",
        "messaging.client.operation.duration",
        "messaging.process.duration",
        "moim.facts.carried",
    ] {
        assert!(told.contains_key(name), "{name} was not told: {:?}", told.keys());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_nobody_anything() {
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", "http://127.0.0.1:9")];
    let mut platform = Platform::one_process_with(&knobs).await;
    platform.sign_up("somebody").await;
    let process = &mut platform.processes[0];
    process.terminate();
    let ended = process.end_within(Duration::from_secs(60)).await;
    assert!(ended.success(), "{}", process.stderr());
}
