//! Data: null where something failed, as far up as it must be, and keys in the order they were asked for.

use moim_bff::http::Settings;
use serde_json::{Value, json};

use crate::stand::{JSON, Stand, Told};

async fn ask(query: &str) -> Told {
    Stand::open(Settings::default()).await.post(query, JSON).await
}

async fn assert_data(query: &str, data: Value, errors: usize) {
    let told = ask(query).await;
    assert_eq!(told.body["data"], data, "{query} {:?}", told.body);
    let count = told.body["errors"].as_array().map_or(0, Vec::len);
    assert_eq!(count, errors, "{query} {:?}", told.body);
}

#[tokio::test]
async fn a_field_that_may_be_null_is_null_when_it_fails() {
    let query = "{ hello soldOut room { id seats } }";
    let data = json!({ "hello": "world", "soldOut": null, "room": { "id": 1, "seats": null } });
    assert_data(query, data, 2).await;
    // Also when nothing else stands beside it.
    assert_data("{ soldOut }", json!({ "soldOut": null }), 1).await;
    let data = json!({ "neededRoom": { "seats": null } });
    assert_data("{ neededRoom { seats } }", data, 1).await;
    let data = json!({ "neededRoom": { "a": null, "neighbour": { "b": null } } });
    assert_data("{ neededRoom { a: seats neighbour { b: seats } } }", data, 2).await;
}

#[tokio::test]
async fn a_field_that_may_not_takes_along_what_it_stands_in() {
    for (query, data, errors) in [
        ("{ hello room { id host } }", json!({ "hello": "world", "room": null }), 1),
        ("{ room { host } }", json!({ "room": null }), 1),
        ("{ room { id neighbour { host } } }", json!({ "room": null }), 1),
        ("{ room { seats host } }", json!({ "room": null }), 2),
        ("{ room { host seats } }", json!({ "room": null }), 2),
        ("{ hello neededRoom { id host } }", Value::Null, 1),
        ("{ hello carelessAndNeeded }", Value::Null, 1),
        ("{ hello rooms { id host } }", json!({ "hello": "world", "rooms": null }), 1),
        (
            "{ maybeRooms { id h: host } }",
            json!({ "maybeRooms": [null, null, { "id": 2, "h": 2 }] }),
            1,
        ),
    ] {
        assert_data(query, data, errors).await;
    }
}

#[tokio::test]
async fn fragments_and_interfaces_keep_to_the_same_rules() {
    let query =
        "{ places { ...P ... on Hall { desk } } } fragment P on Place { id ... on Room { host } }";
    assert_data(query, json!({ "places": [null, { "id": 9, "desk": null }] }), 2).await;
    let query =
        "query Q { ...A } fragment A on Query { r: room { ...B } } fragment B on Room { host }";
    assert_data(query, json!({ "r": null }), 1).await;
}

#[tokio::test]
async fn mutations_keep_what_was_done_before_a_failure() {
    let told = ask("mutation { a: bump b: bump }").await;
    assert_eq!(told.body["data"], json!({ "a": 1, "b": 2 }));
}

#[tokio::test]
async fn keys_stand_in_the_order_they_were_asked_for_whenever_they_came() {
    let stand = Stand::open(Settings::default()).await;
    let query = "{ after: afterMs(ms: 20) hello ...F }
        fragment F on Query { maybeRooms { late ... on Room { z: id soon: id } late a: host } hello caller }";
    let request = reqwest::Client::new().post(stand.url("/graphql"));
    let text = request.json(&json!({ "query": query })).send().await.unwrap().text().await.unwrap();
    let data = r#""data":{"after":20,"hello":"world","maybeRooms":[null,null,{"late":2,"z":2,"soon":2,"a":2}],"caller":"anonymous"}"#;
    assert!(text.contains(data), "{text}");
}

#[tokio::test]
async fn what_is_skipped_does_not_appear() {
    let query = "{ hello @skip(if: true) room @include(if: false) { host } caller }";
    assert_data(query, json!({ "caller": "anonymous" }), 0).await;
}
