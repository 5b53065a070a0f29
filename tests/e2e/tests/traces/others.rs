//! Traces that begin elsewhere than with a request over HTTP, and calls that did not go well.

use std::time::Duration;

use moim_e2e::{Collector, Platform, Socket, Told, in_time, json};

use crate::tree::Tree;

async fn found(collector: &Collector, wanted: impl Fn(&Told) -> bool) -> Told {
    let looking = async {
        loop {
            if let Some(span) = collector.all().into_iter().find(&wanted) {
                return span;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), looking).await.expect("such a span is told")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operation_over_a_socket_is_a_trace_of_its_own() {
    let collector = Collector::open().await;
    let url = collector.url();
    let platform = Platform::one_process_with(&[("MOIM_TELEMETRY__OTLP_URL", &url)]).await;
    let person = platform.sign_up("talker").await;
    let mut socket = Socket::of(&person).await.unwrap();
    for id in ["one", "two"] {
        let query = "query Twice { viewer { member { bio } } }";
        socket.subscribe(id, query, json!({})).await.unwrap();
        socket.event().await;
        assert_eq!(socket.soon().await["type"], "complete");
    }
    let gathering = person.create_gathering(json!({})).await;
    let follow =
        "subscription Follow($id: ID!) { chatMessageAdded(gatheringId: $id) { node { body } } }";
    // The chat room knows of the gathering once something was said there.
    person.say(&gathering, "hello").await;
    socket.subscribe("live", follow, json!({ "id": gathering })).await.unwrap();
    let heard = async {
        while tokio::time::timeout(Duration::from_secs(1), socket.event()).await.is_err() {
            person.say(&gathering, "hello again").await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), heard).await.expect("something is heard");
    drop(socket);
    let lasting = found(&collector, |span| span.name == "subscription Follow").await;
    Tree::grown(&collector, &lasting.trace_id, &[&["moim subscription Follow"]]).await;
    let twice: Vec<_> =
        collector.all().into_iter().filter(|span| span.name == "query Twice").collect();
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0].trace_id, twice[1].trace_id);
    for query in twice {
        let chain = ["moim query Twice", "moim gate"];
        let tree = Tree::grown(&collector, &query.trace_id, &[&chain]).await;
        assert_eq!(tree.root().span_id, query.span_id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_by_itself_begins_a_trace() {
    let collector = Collector::open().await;
    let url = collector.url();
    let lead = Duration::from_secs(50);
    let lead_ms = lead.as_millis().to_string();
    let knobs = [
        ("MOIM_TELEMETRY__OTLP_URL", url.as_str()),
        ("MOIM_NOTIFICATION__REMINDER_LEAD_MS", &lead_ms),
    ];
    let platform = Platform::one_process_with(&knobs).await;
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let start = lead + Duration::from_secs(10);
    let times = json!({ "startsAt": in_time(start), "endsAt": in_time(start * 2) });
    let schedule = host.create_schedule(&gathering, times).await;
    host.attend(&schedule).await;
    let remind = found(&collector, |span| span.name == "remind").await;
    let chains: [&[&str]; 2] =
        [&["moim remind", "moim BEGIN"], &["moim remind", "moim tell notification"]];
    Tree::grown(&collector, &remind.trace_id, &chains).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_a_room_that_is_down_says_what_became_of_it() {
    let collector = Collector::open().await;
    let url = collector.url();
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let Some(mut platform) = Platform::apart_with(&knobs).await else { return };
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    platform.room("review").kill();
    let reviews = "query Reviews($id: ID!) { node(id: $id) { ... on Gathering {
      reviews(first: 3) { edges { node { id } } } } } }";
    for _ in 0..20 {
        host.graphql(reviews, json!({ "id": gathering })).await;
    }
    let is_call = |span: &Told| {
        span.service == "moim-bff" && span.name.starts_with("moim.review.v1.ReviewService/")
    };
    for event in ["again", "refused by breaker"] {
        let has = |span: &Told| is_call(span) && span.events.iter().any(|it| it == event);
        let span = found(&collector, has).await;
        assert_eq!(span.attributes["error.type"], "UNAVAILABLE", "{span:#?}");
        assert_eq!(span.attributes["rpc.response.status_code"], "UNAVAILABLE", "{span:#?}");
        Tree::grown(&collector, &span.trace_id, &[]).await;
    }
}
