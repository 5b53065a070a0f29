//! Apollo's automatic persisted queries: a hash is enough once its document was sent.

use std::sync::atomic::Ordering;

use moim_bff::documents::{self, Policy};
use moim_bff::guard;
use moim_bff::http::Settings;
use moim_kit::task::Tasks;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::schema::{Deeds, tiny};
use crate::stand::{GRAPHQL, JSON, Stand, told};

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn stand(sent_once_bytes: u64) -> Stand {
    let known = documents::Settings {
        policy: Policy::Off,
        sent_once_bytes,
        ..documents::Settings::default()
    };
    let (tasks, limits) = (Tasks::new(), guard::Limits::default());
    let documents = documents::open(&known, &limits, tiny(Deeds::default()), &tasks).await.unwrap();
    Stand::open(Settings { documents, ..Settings::default() }).await
}

async fn by_hash(stand: &Stand, hash: &str) -> Value {
    stand.post_json(&json!({ "extensions": persisted(hash) }), JSON).await.body
}

#[tokio::test]
async fn a_hash_is_asked_for_its_document_once_and_answered_from_then_on() {
    let stand = Stand::open(Settings::default()).await;
    let text = "query Sum($a: Int!) { add(a: $a, b: 1) }";
    let hash = hash(text);
    let short = json!({ "variables": { "a": 1 }, "extensions": persisted(&hash) });
    for accept in [JSON, GRAPHQL] {
        let told = stand.post_json(&short, accept).await;
        let expected = json!({ "errors": [{
            "message": "PersistedQueryNotFound",
            "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" },
        }] });
        assert_eq!((told.status, told.media(), &told.body), (200, accept, &expected));
    }
    let mut whole = short.clone();
    whole["query"] = json!(text);
    assert_eq!(stand.post_json(&whole, JSON).await.body["data"]["add"], 2);
    assert_eq!(stand.post_json(&short, JSON).await.body["data"]["add"], 2);

    let query = [("variables", r#"{"a":2}"#), ("extensions", &persisted(&hash).to_string())];
    let told = told(reqwest::Client::new().get(stand.url("/graphql")).query(&query)).await;
    assert_eq!(told.body["data"]["add"], 3);

    let mut socket = stand.ready_socket().await;
    socket.say(json!({ "id": "1", "type": "subscribe", "payload": short })).await;
    assert_eq!(socket.hear_of("1", "next").await["data"]["add"], 2);
}

#[tokio::test]
async fn a_document_of_another_hash_is_neither_run_nor_remembered() {
    let stand = Stand::open(Settings::default()).await;
    let hello = hash("{ hello }");
    for persisted in [
        persisted(&hello),
        persisted(&hello.replace('0', "1")),
        persisted("nonsense"),
        persisted(""),
        json!({ "persistedQuery": { "version": 2, "sha256Hash": hash("mutation { bump }") } }),
        json!({ "persistedQuery": { "sha256Hash": hash("mutation { bump }") } }),
        json!({ "persistedQuery": { "version": 1, "sha256Hash": 5 } }),
        json!({ "persistedQuery": "x" }),
    ] {
        let body = json!({ "query": "mutation { bump }", "extensions": persisted });
        let told = stand.post_json(&body, JSON).await;
        assert_eq!((told.status, told.code()), (400, "MALFORMED_REQUEST"), "{persisted}");
    }
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    for forgotten in [hello.as_str(), &hash("mutation { bump }"), "nonsense", ""] {
        let body = by_hash(&stand, forgotten).await;
        assert_eq!(body["errors"][0]["message"], "PersistedQueryNotFound", "{forgotten}");
    }
}

#[tokio::test]
async fn what_the_guard_refuses_is_not_remembered() {
    let stand = Stand::open(Settings::default()).await;
    let wide = format!("{{ {} }}", "hello ".repeat(21));
    for (text, code) in [(wide.as_str(), "TOO_COMPLEX"), ("{", "PARSE_FAILED")] {
        let body = json!({ "query": text, "extensions": persisted(&hash(text)) });
        assert_eq!(stand.post_json(&body, JSON).await.code(), code);
        let body = by_hash(&stand, &hash(text)).await;
        assert_eq!(body["errors"][0]["message"], "PersistedQueryNotFound", "{text}");
    }
}

#[tokio::test]
async fn mutations_are_not_let_through_a_get_by_their_hash() {
    let stand = Stand::open(Settings::default()).await;
    let bump = "mutation { bump }";
    let body = json!({ "query": bump, "extensions": persisted(&hash(bump)) });
    assert_eq!(stand.post_json(&body, JSON).await.body["data"]["bump"], 1);
    let query = [("extensions", persisted(&hash(bump)).to_string())];
    let told = told(reqwest::Client::new().get(stand.url("/graphql")).query(&query)).await;
    assert_eq!((told.status, told.code()), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn only_so_many_bytes_are_remembered_and_none_where_that_is_switched_off() {
    let small = stand(20_000).await;
    let texts: Vec<_> =
        (0..100).map(|n| format!("{{ n{n}: hello }} #{}", "x".repeat(900))).collect();
    for text in &texts {
        let body = json!({ "query": text, "extensions": persisted(&hash(text)) });
        assert!(small.post_json(&body, JSON).await.has_data());
    }
    let mut remembered = 0;
    for text in &texts {
        remembered += usize::from(by_hash(&small, &hash(text)).await.get("data").is_some());
    }
    assert!(remembered < 40, "{remembered} texts of a kilobyte are kept in 20,000 bytes");

    let none = stand(0).await;
    let body = json!({ "query": "{ hello }", "extensions": persisted(&hash("{ hello }")) });
    assert!(none.post_json(&body, JSON).await.has_data());
    let told = none.post_json(&json!({ "extensions": persisted(&hash("{ hello }")) }), JSON).await;
    assert_eq!((told.status, told.code()), (200, "PERSISTED_QUERY_NOT_SUPPORTED"));
    assert_eq!(told.body["errors"][0]["message"], "PersistedQueryNotSupported");
}
