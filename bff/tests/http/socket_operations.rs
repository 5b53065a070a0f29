//! What runs over a socket.

use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_bff::http::{Settings, SocketLimits};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::stand::{PATIENCE, Stand};

#[tokio::test]
async fn queries_and_mutations_are_answered_once_and_completed() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("q", "{ hello }").await;
    let answer = socket.hear_of("q", "next").await;
    assert_eq!(answer["data"], json!({ "hello": "world" }));
    assert_eq!(answer["extensions"]["failed"], false, "extensions carry what headers cannot");
    socket.hear_of("q", "complete").await;
    socket.subscribe("q", "mutation { bump }").await;
    assert_eq!(socket.hear_of("q", "next").await["data"]["bump"], 1);
    socket.hear_of("q", "complete").await;
    socket.subscribe("q", "{ hello soldOut }").await;
    let answer = socket.hear_of("q", "next").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FULL");
    assert_eq!(answer["data"]["hello"], "world");
    socket.hear_of("q", "complete").await;
}

#[tokio::test]
async fn subscriptions_stream_until_they_end() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("s", "subscription { count(to: 3) }").await;
    for n in 1..=3 {
        assert_eq!(socket.hear_of("s", "next").await, json!({ "data": { "count": n } }));
    }
    socket.hear_of("s", "complete").await;
}

#[tokio::test]
async fn what_never_starts_is_an_error_message_and_the_id_is_free_again() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    let deep = format!("{}{}", "{ hello ".repeat(17), "}".repeat(17));
    for (query, code) in [
        ("{", "PARSE_FAILED"),
        ("{ unknown }", "VALIDATION_FAILED"),
        ("subscription { unknown }", "VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_NOT_FOUND"),
        (deep.as_str(), "TOO_COMPLEX"),
        ("{ panics }", "INTERNAL"),
    ] {
        socket.subscribe("x", query).await;
        let errors = socket.hear_of("x", "error").await;
        assert_eq!(errors[0]["extensions"]["code"], code, "{query}");
    }
    // Failing while it is being started is part of its execution: it has a path and data.
    socket.subscribe("x", "subscription { forbidden }").await;
    let answer = socket.hear_of("x", "next").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    socket.hear_of("x", "complete").await;
}

#[tokio::test]
async fn an_operation_that_is_completed_by_the_client_stops_without_a_word() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("a", "subscription { quiet }").await;
    socket.hear_of("a", "next").await;
    socket.say(json!({ "id": "a", "type": "complete" })).await;
    socket.say(json!({ "id": "never", "type": "complete" })).await;
    socket.subscribe("b", "{ hello }").await;
    socket.hear_of("b", "next").await;
    socket.hear_of("b", "complete").await;
    assert_eq!(stand.deeds.dropped.load(Ordering::SeqCst), 1);
    socket.subscribe("a", "{ hello }").await;
    socket.hear_of("a", "next").await;
}

#[tokio::test]
async fn operations_stop_with_their_socket() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("a", "subscription { quiet }").await;
    socket.hear_of("a", "next").await;
    drop(socket);
    let dropped = async {
        while stand.deeds.dropped.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, dropped).await.unwrap();
}

#[tokio::test]
async fn no_operation_keeps_the_others_waiting() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("flood", "subscription { flood }").await;
    socket.hear_of("flood", "next").await;
    socket.subscribe("q", "{ hello }").await;
    for _ in 0..10_000 {
        if socket.hear().await["id"] == "q" {
            return;
        }
    }
    panic!("the query was never answered");
}

#[tokio::test]
async fn an_operation_with_always_something_to_say_leaves_the_client_heard() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("flood", "subscription { flood }").await;
    socket.hear_of("flood", "next").await;
    socket.say(json!({ "type": "ping" })).await;
    let mut heard = 0;
    while socket.hear().await["type"] != "pong" {
        heard += 1;
        assert!(heard < 10_000, "the ping was never answered");
    }
    socket.say(json!({ "id": "flood", "type": "complete" })).await;
    socket.subscribe("q", "{ hello }").await;
    while socket.hear().await["id"] != "q" {
        heard += 1;
        assert!(heard < 20_000, "the flood never ended");
    }
    assert_eq!(stand.deeds.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_socket_runs_only_so_many_operations() {
    let socket_limits = SocketLimits { operations: 2, ..SocketLimits::default() };
    let stand = Stand::open(Settings { socket: socket_limits, ..Settings::default() }).await;
    let mut socket = stand.ready_socket().await;
    for id in ["a", "b"] {
        socket.subscribe(id, "subscription { quiet }").await;
        socket.hear_of(id, "next").await;
    }
    socket.subscribe("c", "{ hello }").await;
    let errors = socket.hear_of("c", "error").await;
    assert_eq!(errors[0]["extensions"]["code"], "RATE_LIMITED");
    socket.say(json!({ "id": "a", "type": "complete" })).await;
    socket.subscribe("c", "{ hello }").await;
    socket.hear_of("c", "next").await;
}

#[tokio::test]
async fn operations_over_a_socket_have_deadlines_too() {
    let settings = Settings { query_deadline: Duration::from_millis(50), ..Settings::default() };
    let stand = Stand::open(settings).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("q", "{ forEver }").await;
    let errors = socket.hear_of("q", "error").await;
    assert_eq!(errors[0]["extensions"]["code"], "DEADLINE_EXCEEDED");
    // A subscription has none.
    socket.subscribe("s", "subscription { quiet }").await;
    socket.hear_of("s", "next").await;
    sleep(Duration::from_millis(200)).await;
    socket.subscribe("q", "{ hello }").await;
    socket.hear_of("q", "next").await;
}

#[tokio::test]
async fn the_token_of_the_socket_admits_each_operation() {
    let stand = Stand::open(Settings::default()).await;
    for payload in [
        json!({ "authorization": "Bearer good" }),
        json!({ "Authorization": "Bearer good" }),
        json!({ "accessToken": "good" }),
    ] {
        let mut socket = stand.socket_of(payload).await;
        socket.subscribe("q", "{ caller }").await;
        assert_eq!(socket.hear_of("q", "next").await["data"]["caller"], "Bearer good");
    }
    let mut socket = stand.ready_socket().await;
    socket.subscribe("q", "{ caller }").await;
    assert_eq!(socket.hear_of("q", "next").await["data"]["caller"], "anonymous");
}

#[tokio::test]
async fn pings_of_the_protocol_are_answered_with_their_payload() {
    let stand = Stand::open(Settings::default()).await;
    let mut socket = stand.socket().await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    socket.say(json!({ "type": "ping", "payload": { "at": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "at": 1 } }));
    socket.say(json!({ "type": "pong" })).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
}

#[tokio::test]
async fn answers_above_the_limit_become_an_error_message() {
    let stand = Stand::open(Settings { answer_bytes: 10_000, ..Settings::default() }).await;
    let mut socket = stand.ready_socket().await;
    for query in ["{ text(bytes: 20000) }", "subscription { flood }"] {
        socket.subscribe("x", query).await;
        let errors = socket.hear_of("x", "error").await;
        assert_eq!(errors[0]["extensions"]["code"], "ANSWER_TOO_LARGE");
    }
}
