//! Lines for machines name the trace and the span they belong to; lines for people look as they always did.

use moim_e2e::{Collector, Platform, Value, json};

use crate::trace_of;
use crate::tree::Tree;

/// On PostgreSQL its driver writes a line for each statement, as part of what the statement is run for.
const FILTER: &str = "info,sqlx=debug";

/// What the first process has said about a trace, as JSON.
fn lines_of(platform: &Platform, trace_id: &str) -> Vec<Value> {
    let said = platform.processes[0].stderr();
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| line.parse::<Value>().unwrap());
    lines.filter(|line| line["trace_id"] == trace_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_for_machines_names_the_span_that_wrote_it() {
    let collector = Collector::open().await;
    let url = collector.url();
    let knobs = [
        ("MOIM_TELEMETRY__OTLP_URL", url.as_str()),
        ("MOIM_TELEMETRY__FORMAT", "json"),
        ("MOIM_TELEMETRY__FILTER", FILTER),
    ];
    let Some(platform) = Platform::twins_with(&knobs).await else { return };
    let person = platform.sign_up("writer").await;
    let query = "query Logged { viewer { member { id } } }";
    let trace_id = trace_of(&person.send(query, json!({})).await);
    let chain = ["moim POST /graphql", "moim query Logged"];
    let tree = Tree::grown(&collector, &trace_id, &[&chain]).await;
    let lines = lines_of(&platform, &trace_id);
    assert!(!lines.is_empty(), "nothing was logged under {trace_id}");
    for line in &lines {
        let is_told = tree.spans().iter().any(|span| line["span_id"] == span.span_id);
        assert!(is_told, "{line} is of no span in\n{}", tree.shown());
    }
    let secrets = [person.password.as_str(), person.token().unwrap(), &person.refresh_token];
    let said = platform.processes[0].stderr();
    assert!(secrets.iter().all(|secret| !said.contains(secret)), "a secret was logged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_a_line_still_names_its_trace() {
    let knobs = [("MOIM_TELEMETRY__FORMAT", "json"), ("MOIM_TELEMETRY__FILTER", FILTER)];
    let Some(platform) = Platform::twins_with(&knobs).await else { return };
    let person = platform.sign_up("writer").await;
    let trace_id = trace_of(&person.send("{ viewer { member { id } } }", json!({})).await);
    let lines = lines_of(&platform, &trace_id);
    assert!(!lines.is_empty(), "nothing was logged under {trace_id}");
    assert!(lines.iter().all(|line| line["span_id"].as_str().unwrap().len() == 16));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_fact_causes_is_logged_under_the_trace_of_who_caused_it() {
    let knobs = [("MOIM_TELEMETRY__FORMAT", "json"), ("MOIM_TELEMETRY__FILTER", FILTER)];
    let Some(platform) = Platform::twins_with(&knobs).await else { return };
    let host = platform.sign_up("host").await;
    let input = json!({
        "title": "아침 산책", "description": "강가를 걷습니다.", "category": "OUTDOORS",
        "regionId": host.region().await, "capacity": 30,
    });
    let create = "mutation($input: GatheringCreateInput!) {
      gatheringCreate(input: $input) { gathering { id } userErrors { code } } }";
    let trace_id = trace_of(&host.send(create, json!({ "input": input })).await);
    moim_e2e::eventually(async || {
        let said: Vec<_> = platform.processes.iter().map(|process| process.stderr()).collect();
        let of_trace =
            said.iter().flat_map(|said| said.lines()).filter(|it| it.contains(&trace_id));
        let heard = of_trace.filter(|line| line.contains("gathering_copy")).count();
        if heard > 0 { Ok(()) } else { Err("no room has heard of it") }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_for_people_name_no_span() {
    let knobs = [("MOIM_TELEMETRY__FORMAT", "pretty"), ("MOIM_TELEMETRY__FILTER", FILTER)];
    let Some(platform) = Platform::twins_with(&knobs).await else { return };
    platform.sign_up("reader").await;
    let said = platform.processes[0].stderr();
    assert!(said.contains("sqlx::query") && !said.contains("span_id"), "{said}");
}
