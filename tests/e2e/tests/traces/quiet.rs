//! What is not to be told is not, and a collector that is away keeps nobody waiting.

use std::time::Duration;

use moim_e2e::{Collector, Platform, eventually, expect_data, free_port, json};

use crate::{attend, guest_and_schedule, trace_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_s_word_on_whether_its_trace_is_sent_holds_everywhere() {
    let collector = Collector::open().await;
    let url = collector.url();
    // Of the traces begun here none is sent.
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str()), ("MOIM_TELEMETRY__SAMPLE_RATIO", "0")];
    let platform = Platform::one_process_with(&knobs).await;
    let (guest, schedule) = guest_and_schedule(&platform).await;
    let (unwanted, wanted) =
        ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c");
    let parent = "00f067aa0ba902b7";
    let sent = |trace_id, flags| format!("00-{trace_id}-{parent}-{flags}");
    let silent = sent(unwanted, "00");
    let answer = attend(&guest, &schedule, &[("traceparent", &silent)]).await;
    assert_eq!(trace_of(&answer), unwanted);
    eventually(async || {
        let query = "query($id: ID!) { node(id: $id) { ... on Schedule { goingCount } } }";
        let data = guest.data(query, json!({ "id": schedule })).await;
        if data["node"]["goingCount"] == 1 { Ok(()) } else { Err(data) }
    })
    .await;

    let loud = sent(wanted, "01");
    let query = "query Wanted { viewer { member { id } } }";
    let answer = guest.send_with(query, json!({}), &[("traceparent", &loud)]).await;
    assert_eq!(trace_of(&answer), wanted);
    let told = async {
        loop {
            let spans = collector.trace(wanted);
            if let Some(edge) = spans.iter().find(|span| span.name == "POST /graphql") {
                assert_eq!(edge.parent_id, parent, "the client's span is its cause");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("the wanted trace is sent");
    // It was told after everything else: had there been more, it would be there.
    let others: Vec<_> = collector.all().into_iter().filter(|it| it.trace_id != wanted).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_on_without_the_collector_and_the_log_says_so_once() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let knobs = [("MOIM_TELEMETRY__OTLP_URL", url.as_str())];
    let mut platform = Platform::one_process_with(&knobs).await;
    let (guest, schedule) = guest_and_schedule(&platform).await;
    attend(&guest, &schedule, &[]).await;
    let complaints =
        |platform: &Platform| platform.processes[0].stderr().matches("spans are lost").count();
    eventually(async || match complaints(&platform) {
        0 => Err("nothing was said yet"),
        _ => Ok(()),
    })
    .await;
    for _ in 0..20 {
        expect_data(&guest.graphql("{ __typename }", json!({})).await);
    }
    assert_eq!(complaints(&platform), 1);
    platform.processes[0].terminate();
    assert!(platform.processes[0].end_within(Duration::from_secs(60)).await.success());
}
