//! One request is one tree, in one process and over all rooms, the bus and the money.

use moim_e2e::{Collector, Platform, json};

use crate::tree::{Tree, label};
use crate::{attend, guest_and_schedule, trace_of};

const CALL: &str = "moim.schedule.v1.ScheduleService/Attend";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_seat_is_one_tree_from_the_edge_to_the_notification() {
    let collector = Collector::open().await;
    let url = collector.url();
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let Some(platform) = Platform::apart_with(&knobs).await else { return };
    let (guest, schedule) = guest_and_schedule(&platform).await;
    let trace_id = trace_of(&attend(&guest, &schedule, &[]).await);

    let (client, server) = (format!("moim-bff {CALL}"), format!("moim-schedule {CALL}"));
    let edge = ["moim-bff POST /graphql", "moim-bff mutation Attend", &client, &server];
    let with = |rest: &[&'static str]| -> Vec<String> {
        edge.iter().chain(rest).map(|label| (*label).to_owned()).collect()
    };
    // The seat is told, the money held, the seat granted, the money taken, and the member told.
    let seat = ["moim-schedule tell seat", "moim-payment hear seat"];
    let order = ["moim-payment step order", "moim-payment tell order", "moim-schedule hear order"];
    let paid = ["moim-payment step order", "moim-payment tell order"];
    let told = ["moim-notification hear order", "moim-notification tell notification"];
    let chains = [
        vec!["moim-bff POST /graphql".to_owned(), "moim-bff guard".to_owned()],
        vec!["moim-bff mutation Attend".to_owned(), "moim-bff gate".to_owned()],
        with(&["moim-schedule BEGIN"]),
        with(&["moim-schedule INSERT attendance"]),
        with(&["moim-schedule INSERT outbox"]),
        with(&["moim-schedule COMMIT"]),
        with(&["moim-schedule tell seat", "moim-schedule carry seat"]),
        with(&[&seat[..], &["moim-payment INSERT seat_order"]].concat()),
        with(&["moim-schedule tell schedule", "moim-search hear schedule"]),
        with(&[&seat[..], &order].concat()),
        with(&[&seat[..], &order, &seat, &paid, &told].concat()),
    ];
    let chains: Vec<Vec<&str>> =
        chains.iter().map(|chain| chain.iter().map(String::as_str).collect()).collect();
    let chains: Vec<&[&str]> = chains.iter().map(Vec::as_slice).collect();
    let tree = Tree::grown(&collector, &trace_id, &chains).await;
    assert_eq!(label(tree.root()), "moim-bff POST /graphql");
    facts_of_spans_are_told(&tree);
    names_are_few(&collector);
}

/// What anybody would filter by.
fn facts_of_spans_are_told(tree: &Tree) {
    for (label_, key, value) in [
        ("moim-bff POST /graphql", "http.request.method", "POST"),
        ("moim-bff POST /graphql", "http.response.status_code", "200"),
        ("moim-bff POST /graphql", "url.path", "/graphql"),
        ("moim-bff mutation Attend", "graphql.operation.type", "mutation"),
        ("moim-bff mutation Attend", "graphql.operation.name", "Attend"),
        (&format!("moim-bff {CALL}"), "rpc.system.name", "grpc"),
        (&format!("moim-bff {CALL}"), "rpc.method", CALL),
        (&format!("moim-schedule {CALL}"), "rpc.response.status_code", "OK"),
        ("moim-schedule INSERT outbox", "db.system.name", "postgresql"),
        ("moim-schedule INSERT outbox", "db.operation.name", "INSERT"),
        ("moim-schedule INSERT outbox", "db.collection.name", "outbox"),
        ("moim-schedule tell seat", "messaging.destination.name", "moim.seat.v1.state"),
        ("moim-payment hear seat", "messaging.operation.type", "process"),
    ] {
        let span = tree.spans().iter().find(|span| label(span) == label_).unwrap();
        assert_eq!(span.attributes.get(key).map(String::as_str), Some(value), "{span:#?}");
    }
    for span in tree.spans() {
        assert!(span.end >= span.start, "{span:?}");
        assert_eq!(span.resource["service.namespace"], "moim");
        for key in ["service.instance.id", "service.version"] {
            assert!(!span.resource[key].is_empty(), "{span:?}");
        }
    }
}

/// Names are for grouping: none holds an id, and there are not many.
fn names_are_few(collector: &Collector) {
    let names: std::collections::BTreeSet<_> =
        collector.all().into_iter().map(|span| span.name).collect();
    assert!(names.len() < 300, "{} names: {names:#?}", names.len());
    let is_id = |name: &String| name.contains('$') || name.split('-').count() > 4;
    assert!(!names.iter().any(is_id), "{names:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_process_it_is_the_same_tree_without_a_broker() {
    let collector = Collector::open().await;
    let url = collector.url();
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let mut platform = Platform::one_process_with(&knobs).await;
    let (guest, schedule) = guest_and_schedule(&platform).await;
    let answer = attend(&guest, &schedule, &[]).await;
    let call = format!("moim {CALL}");
    let edge = ["moim POST /graphql", "moim mutation Attend", &call, &call];
    let seat = ["moim tell seat", "moim hear seat", "moim step order", "moim tell order"];
    let settled = ["moim hear order", "moim tell seat", "moim hear seat", "moim step order"];
    let told = ["moim tell order", "moim hear order", "moim tell notification"];
    let chain = [&edge[..], &seat, &settled, &told].concat();
    let written = [&edge[..], &["moim INSERT outbox"]].concat();
    Tree::grown(&collector, &trace_of(&answer), &[&chain, &written]).await;

    // What is refused says so in its span, and under the same id in its error.
    let refused = guest.send("query Nothing { nothingThere }", json!({})).await;
    let trace_id = trace_of(&refused);
    let error = &refused.body["errors"][0]["extensions"];
    assert_eq!(error["traceId"], trace_id, "{}", refused.body);
    let chain = ["moim POST /graphql", "moim query Nothing"];
    let tree = Tree::grown(&collector, &trace_id, &[&chain]).await;
    let span = tree.spans().iter().find(|span| span.name == "query Nothing").unwrap();
    assert_eq!(error["code"], span.attributes["error.type"]);

    // What nobody has been sent yet is sent at the stop.
    let last = trace_of(&guest.send("query Last { __typename }", json!({})).await);
    platform.processes[0].terminate();
    assert!(platform.processes[0].end_within(std::time::Duration::from_secs(60)).await.success());
    let names: Vec<_> = collector.trace(&last).into_iter().map(|span| span.name).collect();
    assert!(names.contains(&"query Last".to_owned()), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_session_holds_no_secret() {
    let collector = Collector::open().await;
    let url = collector.url();
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let platform = Platform::one_process_with(&knobs).await;
    let (guest, schedule) = guest_and_schedule(&platform).await;
    attend(&guest, &schedule, &[]).await;
    let again = guest.log_in().await;
    let calendar = "query Calendar($id: ID!) { node(id: $id) { ... on Schedule { title } } }";
    let last = trace_of(&again.send(calendar, json!({ "id": schedule })).await);
    Tree::grown(&collector, &last, &[&["moim POST /graphql", "moim query Calendar"]]).await;
    let all = format!("{:#?}", collector.all());
    for secret in [
        &guest.password,
        &guest.email,
        &guest.refresh_token,
        &again.refresh_token,
        guest.token().unwrap(),
        again.token().unwrap(),
        &schedule,
        "강변 걷기",
        "scheduleAttend(",
    ] {
        assert!(!all.contains(secret), "{secret} was told");
    }
}
