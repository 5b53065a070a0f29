//! Whatever clients make up, the number of series does not grow.

use std::collections::BTreeSet;
use std::time::Duration;

use moim_e2e::{Platform, free_port, json};
use moim_kit::metrics::label::OTHER;
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;

use crate::page::{Series, ask, breaches, read};

/// The series of a page, whatever their numbers.
fn names(page: &[Series]) -> BTreeSet<String> {
    page.iter().map(|series| format!("{}{:?}", series.name, series.labels)).collect()
}

/// One request of each odd kind; `round` makes up other words each time.
async fn ask_oddly(platform: &Platform, round: u32) {
    let client = platform.client();
    let http = reqwest::Client::new();
    for path in ["nowhere", "graphql/deeper", "calendar", "console/assets/x", "%00", "metrics"] {
        let url = format!("{}/{path}/{round}", platform.url());
        http.get(url).send().await.unwrap();
    }
    for method in ["BREW", "PROPFIND"] {
        let method = Method::from_bytes(format!("{method}{round}").as_bytes()).unwrap();
        for path in ["/graphql", "/nowhere", "/healthz"] {
            let url = format!("{}{path}", platform.url());
            http.request(method.clone(), url).send().await.unwrap();
        }
    }
    let named = format!("query Xyzzy{round} {{ regions {{ id }} }}");
    client.graphql(&named, json!({})).await;
    client.graphql(&format!("{{ xyzzy{round} }}"), json!({})).await;
    client.graphql(&format!("query {{ a{round}: regions {{ id }} }}"), json!({})).await;
    client.graphql(&format!("mutation {{ xyzzy{round} {{ id }} }}"), json!({})).await;
    for id in [format!("xyzzy-{round}"), format!("sha256:{round:064x}")] {
        let body = json!({ "documentId": id, "operationName": format!("Xyzzy{round}") });
        client.post(&[], body.to_string()).await;
    }
    client.post(&[("x-made-up", "1")], format!("{{ {round}")).await;
    client.with_token(format!("xyzzy-{round}")).send("{ viewer { id } }", json!({})).await;
    let body = json!({ "query": "query A { regions { id } } query B { regions { id } }",
        "operationName": format!("Xyzzy{round}") });
    client.post(&[], body.to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_clients_make_up_becomes_a_series() {
    let address = format!("127.0.0.1:{}", free_port());
    let knobs = [("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str())];
    let platform = Platform::one_process_with(&knobs).await;
    platform.sign_up("somebody").await;
    // Once, so that each code and status there is has been told.
    ask_oddly(&platform, 0).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = read(&ask(&address).await);
    for round in 1..40 {
        ask_oddly(&platform, round).await;
    }
    let text = ask(&address).await;
    let after = read(&text);
    assert_eq!(breaches(&after), Vec::<String>::new());
    // What is measured from time to time may show for the first time.
    let own = |page: &[Series]| {
        let asked = |name: &str| {
            ["http_", "graphql_", "rpc_", "moim_requests_", "moim_overhead_"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        let page: Vec<_> = page.iter().filter(|it| asked(&it.name)).cloned().collect();
        names(&page)
    };
    let (before, grown) = (own(&before), own(&after));
    let new: Vec<_> = grown.difference(&before).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert!(!text.to_lowercase().contains("xyzzy"), "{text}");
    let counted = after.iter().filter(|it| it.name == "http_server_request_duration_seconds_count");
    let counted: f64 = counted.map(|series| series.number).sum();
    assert!(counted > 39.0 * 20.0, "the odd ones were not counted at all: {counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_no_room_has_is_counted_as_any_other() {
    let address = format!("127.0.0.1:{}", free_port());
    let room = format!("127.0.0.1:{}", free_port());
    let directory = tempfile::tempdir().unwrap();
    let knobs = [
        ("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str()),
        ("MOIM_ROOMS__MEMBER__LISTEN", room.as_str()),
        ("MOIM_HOUSE__SECRET", "the rooms of this house"),
    ];
    let mut process =
        moim_e2e::Process::start("member", directory.path(), &["run", "member"], &knobs);
    let channel = Endpoint::from_shared(format!("http://{room}")).unwrap().connect_lazy();
    let call = async |path: String| {
        let request = http::Request::builder().method("POST").uri(format!("http://{room}{path}"));
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        channel.clone().oneshot(request.body(Body::empty()).unwrap()).await
    };
    moim_e2e::eventually(async || {
        assert!(process.ended().is_none(), "{}", process.stderr());
        call("/moim.member.v1.MemberService/Get".to_owned()).await.map(|_| ())
    })
    .await;
    for round in 0..50 {
        call(format!("/moim.member.v1.MemberService/Steal{round}")).await.unwrap();
        call(format!("/moim.xyzzy{round}.v1.XyzzyService/Get")).await.unwrap();
    }
    let page = read(&ask(&address).await);
    assert_eq!(breaches(&page), Vec::<String>::new());
    let other = page.iter().find(|series| {
        series.name == "rpc_server_call_duration_seconds_count"
            && series.labels["rpc_method"] == OTHER
    });
    // A service that is nowhere is turned away before anybody looks at its methods.
    assert_eq!(other.map(|series| series.number), Some(50.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_goes_by_its_name_only_where_its_document_is_listed() {
    let listed = "query Regions { regions { id } }";
    let digest = Sha256::digest(listed);
    let id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("listed.json");
    std::fs::write(&list, json!({ &id: listed }).to_string()).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let files = format!("[\"{}\"]", list.display());
    let knobs = [
        ("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str()),
        ("MOIM_BFF__DOCUMENTS", "allow"),
        ("MOIM_BFF__DOCUMENTS_FILES", files.as_str()),
    ];
    let platform = Platform::one_process_with(&knobs).await;
    let client = platform.client();
    // The same text sent as it is shows that nobody needs to be told by a name of their own.
    client.data(listed, json!({})).await;
    client.data("query Mine { regions { id } }", json!({})).await;
    client.post(&[], json!({ "documentId": id }).to_string()).await.data();
    let named = moim_e2e::eventually(async || {
        let page = read(&ask(&address).await);
        let counts = page
            .into_iter()
            .filter(|series| series.name == "graphql_operation_duration_seconds_count");
        let named: Vec<_> = counts
            .map(|it| (it.labels.get("graphql_operation_name").cloned(), it.number as u32))
            .collect();
        if named.iter().map(|(_, number)| number).sum::<u32>() == 3 {
            Ok(named)
        } else {
            Err(named)
        }
    })
    .await;
    assert_eq!(
        BTreeSet::from_iter(named),
        BTreeSet::from([(None, 2), (Some("Regions".to_owned()), 1)])
    );
}
