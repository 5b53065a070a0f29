//! Statuses and media types of the default profile.

use moim_bff::http::Settings;
use serde_json::json;

use crate::stand::{GRAPHQL, JSON, Stand};

#[tokio::test]
async fn every_graphql_outcome_has_its_status_in_both_media_types() {
    let stand = Stand::open(Settings::default()).await;
    for (query, code, json_status, graphql_status, data) in [
        ("{ hello }", "", 200, 200, true),
        ("{ soldOut }", "FULL", 200, 200, true),
        ("{ careless }", "INTERNAL", 200, 200, true),
        ("{ carelessAndNeeded }", "INTERNAL", 200, 200, true),
        ("{", "PARSE_FAILED", 200, 400, false),
        ("", "PARSE_FAILED", 200, 400, false),
        ("{ unknown }", "VALIDATION_FAILED", 200, 400, false),
        ("query($id: ID!) { hello }", "VALIDATION_FAILED", 200, 400, false),
        ("query A { hello } query B { hello }", "OPERATION_NOT_FOUND", 200, 400, false),
        ("subscription { count(to: 1) }", "VALIDATION_FAILED", 200, 400, false),
        ("{ panics }", "INTERNAL", 200, 500, false),
    ] {
        for (accept, status) in [(JSON, json_status), (GRAPHQL, graphql_status)] {
            let told = stand.post(query, accept).await;
            assert_eq!((told.status, told.code()), (status, code), "{query} {accept} {told:?}");
            assert_eq!(told.has_data(), data, "{query} {accept} {told:?}");
            assert_eq!(told.media(), accept, "{query}");
            assert!(told.header("content-type").ends_with("charset=utf-8"));
            assert_eq!(told.header("cache-control"), "no-store");
            assert_eq!(told.header("x-content-type-options"), "nosniff");
        }
    }
}

#[tokio::test]
async fn clients_that_do_not_say_what_they_accept_get_json() {
    let stand = Stand::open(Settings::default()).await;
    for accept in ["*/*", "application/*", "text/html;q=0.9, */*;q=0.1"] {
        assert_eq!(stand.post("{ hello }", accept).await.media(), JSON, "{accept}");
    }
    let told = stand.post("{ hello }", "text/plain").await;
    assert_eq!((told.status, told.code(), told.media()), (406, "NOT_ACCEPTABLE", JSON));
    assert!(!told.has_data());
}

#[tokio::test]
async fn variables_are_taken_or_refused_before_anything_runs() {
    let stand = Stand::open(Settings::default()).await;
    let query = "query Sum($a: Int!, $b: Int! = 2) { add(a: $a, b: $b) }";
    let ask = |variables| {
        let body = json!({ "query": query, "variables": variables, "operationName": "Sum" });
        let stand = &stand;
        async move { stand.post_json(&body, GRAPHQL).await }
    };
    assert_eq!(ask(json!({ "a": 1 })).await.body["data"]["add"], 3);
    assert_eq!(ask(json!({ "a": 1, "b": 5, "unknown": [] })).await.body["data"]["add"], 6);
    for variables in [json!({}), json!({ "a": null }), json!({ "a": "x" }), json!({ "a": 1.5 })] {
        let told = ask(variables.clone()).await;
        assert_eq!((told.status, told.code()), (400, "VALIDATION_FAILED"), "{variables} {told:?}");
        assert!(!told.has_data());
    }
}

#[tokio::test]
async fn errors_are_masked_counted_and_cut() {
    let stand = Stand::open(Settings::default()).await;
    let told = stand.post("{ careless carelessAndNeeded }", GRAPHQL).await;
    assert!(!told.body.to_string().contains("hunter2"), "{told:?}");
    let told = stand.post("{ unlisted }", GRAPHQL).await;
    assert_eq!(told.code(), "INTERNAL", "{told:?}");
    assert!(!told.body.to_string().contains("hunter2"), "{told:?}");
    assert!(!told.body.to_string().contains("DATABASE"), "{told:?}");
    let many: String = (0..15).map(|n| format!("a{n}: wordy ")).collect();
    let told = stand.post(&format!("{{ {many} }}"), GRAPHQL).await;
    let errors = told.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 9);
    assert_eq!(errors[0]["message"].as_str().unwrap().chars().count(), 300);
    assert_eq!(errors[0]["path"], json!(["a0"]));
}

#[tokio::test]
async fn the_library_is_never_asked_to_parse_again() {
    let stand = Stand::open(Settings::default()).await;
    for _ in 0..3 {
        let told = stand.post("query Q { hello again: hello }", JSON).await;
        assert_eq!(told.body["data"], json!({ "hello": "world", "again": "world" }));
    }
}
