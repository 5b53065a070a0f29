//! Answers as `text/event-stream`, after graphql-sse's distinct connections.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use moim_bff::http::{Limits, Settings, SocketLimits};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use crate::stand::{JSON, PATIENCE, Stand};

const STREAM: &str = "text/event-stream";
const SHORT: Duration = Duration::from_millis(100);
const COMPLETE: &str = "event: complete\ndata:\n\n";

async fn stand(change: impl FnOnce(&mut SocketLimits)) -> Stand {
    let mut socket = SocketLimits::default();
    change(&mut socket);
    Stand::open(Settings { socket, ..Settings::default() }).await
}

async fn ask(stand: &Stand, query: &str, token: &str) -> reqwest::Response {
    let request = reqwest::Client::new().post(stand.url("/graphql")).header("accept", STREAM);
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    let request = request.json(&json!({ "query": query }));
    timeout(PATIENCE, request.send()).await.expect("no answer").unwrap()
}

async fn rest(response: reqwest::Response) -> String {
    timeout(PATIENCE, response.text()).await.expect("the stream never ended").unwrap()
}

/// The results of a stream that ended as it should.
fn results(text: &str) -> Vec<Value> {
    let text = text.strip_suffix(COMPLETE).unwrap_or_else(|| panic!("no complete: {text}"));
    let events = text.split("\n\n").filter(|event| !event.is_empty() && *event != ":");
    let data = events.map(|event| event.strip_prefix("event: next\ndata: ").unwrap());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[tokio::test]
async fn every_kind_of_operation_ends_with_complete() {
    let stand = stand(|_| {}).await;
    for (query, expected) in [
        ("{ caller }", vec![json!({ "caller": "Bearer good" })]),
        ("mutation { bump }", vec![json!({ "bump": 1 })]),
        ("subscription { count(to: 2) }", vec![json!({ "count": 1 }), json!({ "count": 2 })]),
    ] {
        let response = ask(&stand, query, "good").await;
        assert_eq!(response.status(), 200, "{query}");
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        let results = results(&rest(response).await);
        let data: Vec<_> = results.iter().map(|result| result["data"].clone()).collect();
        assert_eq!(data, expected, "{query}");
    }
}

#[tokio::test]
async fn errors_of_graphql_are_events_and_refusals_are_statuses() {
    let stand = stand(|_| {}).await;
    for (query, code) in [
        ("{", "PARSE_FAILED"),
        ("subscription { unknown }", "VALIDATION_FAILED"),
        ("subscription { forbidden }", "FORBIDDEN"),
        ("{ soldOut }", "FULL"),
    ] {
        let response = ask(&stand, query, "").await;
        assert_eq!(response.status(), 200, "{query}");
        let results = results(&rest(response).await);
        assert_eq!(results[0]["errors"][0]["extensions"]["code"], code, "{query}");
    }
    for (token, status) in [("bad", 401), ("barred", 403), ("busy", 429), ("lost", 503)] {
        for query in ["{ hello }", "subscription { quiet }"] {
            assert_eq!(ask(&stand, query, token).await.status(), status, "{token} {query}");
        }
    }
}

#[tokio::test]
async fn the_rules_for_requests_hold_for_streams_too() {
    let stand = stand(|_| {}).await;
    let get = async |query: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("accept", STREAM)];
        all.extend(headers);
        stand.get(query, &all).await.status
    };
    assert_eq!(get("subscription { count(to: 1) }", &[]).await, 200);
    assert_eq!(get("mutation { bump }", &[]).await, 405);
    assert_eq!(get("{ hello }", &[("origin", "https://evil.example")]).await, 403);
    assert_eq!(get("{ hello }", &[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    let told = stand.post("subscription { count(to: 1) }", "application/json").await;
    assert_eq!(told.code(), "VALIDATION_FAILED", "a stream is sent only to who accepts it");
    let told = stand.post("{ hello }", "application/json, text/event-stream").await;
    assert_eq!(told.media(), "application/json");
}

#[tokio::test]
async fn a_quiet_stream_shows_signs_of_life() {
    let stand = stand(|limits| limits.keep_alive = SHORT).await;
    let mut response = ask(&stand, "subscription { quiet }", "").await;
    let mut text = String::new();
    let reading = async {
        while text.matches("\n\n:\n\n").count() < 1 || !text.contains("event: next") {
            text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
        }
    };
    timeout(PATIENCE, reading).await.expect("no sign of life");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let stand = stand(|limits| limits.recheck = SHORT).await;
    let short = ask(&stand, "subscription { quiet }", "short").await;
    let revocable = ask(&stand, "subscription { quiet }", "revocable").await;
    stand.revoked.store(true, Ordering::SeqCst);
    for response in [short, revocable] {
        let results = results(&rest(response).await);
        let last = results.last().unwrap();
        assert_eq!(last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last}");
    }
}

#[tokio::test]
async fn a_stop_ends_streams_with_a_hint_when_to_come_back() {
    let stand = stand(|limits| limits.stop_spread = SHORT).await;
    let response = ask(&stand, "subscription { quiet }", "").await;
    let (stopped, text) = tokio::join!(stand.tasks.stop(PATIENCE), rest(response));
    assert!(stopped, "something kept running");
    assert!(text.contains("retry: ") && !text.contains("complete"), "{text}");
}

#[tokio::test]
async fn a_stream_is_dropped_with_its_reader_or_when_that_does_not_read() {
    let stand = stand(|limits| limits.send = SHORT).await;
    drop(ask(&stand, "subscription { quiet }", "").await);
    let dropped = async |count| {
        while stand.deeds.dropped.load(Ordering::SeqCst) < count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, dropped(1)).await.expect("kept for a reader that is gone");
    let mut stream = stand.tcp().await;
    let request = "GET /graphql?query=subscription%7Bflood%7D HTTP/1.1\r\nHost: x\r\n\
                   Accept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    timeout(PATIENCE, dropped(2)).await.expect("kept for a reader that does not read");
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_so_once_it_reads() {
    let stand = stand(|limits| limits.send = SHORT).await;
    let mut response = ask(&stand, "subscription { flood }", "").await;
    while stand.deeds.dropped.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let mut text = String::new();
    while let Some(chunk) = timeout(PATIENCE, response.chunk()).await.unwrap().unwrap() {
        text += std::str::from_utf8(&chunk).unwrap();
    }
    let results = results(&text);
    assert!(results.len() > 1 && results[0]["errors"].is_null(), "{}", results[0]);
    assert_eq!(results.last().unwrap()["errors"][0]["extensions"]["code"], "SLOW_CONSUMER");
}

#[tokio::test]
async fn a_reader_that_stalls_loses_its_place_and_the_others_of_its_connection_stay() {
    let socket = SocketLimits { send: SHORT, per_address: 2, ..SocketLimits::default() };
    let limits = Limits { write: SHORT, ..Limits::default() };
    let stand = Stand::open(Settings { socket, limits, ..Settings::default() }).await;
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(64 * 1_024)
        .handshake(TokioIo::new(stand.tcp().await))
        .await
        .unwrap();
    stand.tasks.spawn("client", async { drop(connection.await) });
    let ask = async |query: &str| {
        let body = Full::<bytes::Bytes>::from(json!({ "query": query }).to_string());
        let request = http::Request::post(stand.url("/graphql")).header("accept", STREAM);
        let request = request.header("content-type", JSON).body(body).unwrap();
        let answer = sender.clone().send_request(request);
        timeout(PATIENCE, answer).await.expect("no answer").unwrap()
    };
    let mut quiet = ask("subscription { quiet }").await;
    let mut stalled = ask("subscription { flood }").await;
    assert_eq!(ask("subscription { quiet }").await.status(), 429, "there are two places");
    let freed = async {
        while ask("subscription { quiet }").await.status() != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, freed).await.expect("the place is kept");
    let read = async { while let Some(Ok(_)) = stalled.frame().await {} };
    timeout(PATIENCE, read).await.expect("the stream goes on");
    let more = async {
        while let Some(frame) = quiet.frame().await {
            frame.unwrap();
        }
    };
    assert!(timeout(SHORT * 3, more).await.is_err(), "a stream that is read was ended");
}
