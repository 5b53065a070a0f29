//! What the edge decides shows in answers; what is given up leaves nothing running.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use moim_bff::http::{Readiness, Settings, router};
use moim_kit::task::Tasks;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::schema::{Deeds, tiny};
use crate::stand::{Doorman, GRAPHQL, JSON, PATIENCE, Stand, Told, told};

async fn as_caller(stand: &Stand, token: &str, query: &str) -> Told {
    let request = reqwest::Client::new().post(stand.url("/graphql"));
    let request = request.json(&json!({ "query": query })).header("accept", JSON);
    told(request.header("authorization", format!("Bearer {token}"))).await
}

#[tokio::test]
async fn resolvers_see_who_was_let_in_and_answers_carry_what_is_added() {
    let stand = Stand::open(Settings::default()).await;
    let told = stand.post("{ caller }", JSON).await;
    assert_eq!(told.body["data"]["caller"], "anonymous");
    assert_eq!(told.header("x-moim-seen"), "token");
    assert_eq!(told.body["extensions"]["failed"], false);
    let told = as_caller(&stand, "good", "{ caller soldOut }").await;
    assert_eq!(told.body["data"]["caller"], "Bearer good");
    assert_eq!(told.body["extensions"]["failed"], true);
    let trace = &told.body["errors"][0]["extensions"]["traceId"];
    assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn refusals_keep_their_status_for_every_media_type() {
    let stand = Stand::open(Settings::default()).await;
    for (token, status, code, header, value) in [
        ("bad", 401, "UNAUTHENTICATED", "www-authenticate", "Bearer"),
        ("barred", 403, "FORBIDDEN", "allow", ""),
        ("busy", 429, "RATE_LIMITED", "retry-after", "7"),
        ("lost", 503, "UNAVAILABLE", "retry-after", "2"),
    ] {
        let told = as_caller(&stand, token, "{ hello }").await;
        assert_eq!((told.status, told.code()), (status, code));
        assert_eq!(told.header(header), value);
        assert!(!told.has_data());
    }
    let told = as_caller(&stand, "busy", "{ hello }").await;
    assert_eq!(told.body["errors"][0]["extensions"]["retryAfterMs"], 7_000);
}

#[tokio::test]
async fn operations_that_take_too_long_are_given_up() {
    let settings = Settings { query_deadline: Duration::from_millis(50), ..Settings::default() };
    let stand = Stand::open(settings).await;
    for (accept, status) in [(JSON, 200), (GRAPHQL, 504)] {
        let told = stand.post("{ forEver }", accept).await;
        assert_eq!((told.status, told.code()), (status, "DEADLINE_EXCEEDED"));
        assert_eq!(told.body["errors"][0]["extensions"]["retryable"], true);
        assert_eq!(told.header("x-moim-seen"), "token");
    }
    assert_eq!(stand.deeds.dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn work_is_dropped_when_nobody_waits_for_it() {
    let stand = Stand::open(Settings::default()).await;
    let mut stream = stand.tcp().await;
    let request = "GET /graphql?query=%7BforEver%7D HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let reached = |count: &std::sync::Arc<std::sync::atomic::AtomicU32>| {
        let count = count.clone();
        async move {
            while count.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        }
    };
    timeout(PATIENCE, reached(&stand.deeds.started)).await.unwrap();
    assert_eq!(stand.deeds.dropped.load(Ordering::SeqCst), 0);
    drop(stream);
    timeout(PATIENCE, reached(&stand.deeds.dropped)).await.unwrap();
}

#[tokio::test]
async fn more_requests_than_may_run_are_told_to_come_back() {
    let stand = Stand::open(Settings { in_flight: 0, ..Settings::default() }).await;
    for accept in [JSON, GRAPHQL] {
        let told = stand.post("{ hello }", accept).await;
        assert_eq!((told.status, told.code()), (503, "OVERLOADED"));
        assert_eq!(told.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn health_is_green_while_it_lives_and_readiness_says_what_is_missing() {
    let red = Readiness::new(|| Box::pin(async { Err("member is out of reach".to_owned()) }));
    let stand = Stand::open_with(Settings::default(), red).await;
    let get = |path: &str| told(reqwest::Client::new().get(stand.url(path)));
    assert_eq!(get("/healthz").await.status, 200);
    let told = get("/readyz").await;
    assert_eq!((told.status, told.body), (503, json!("member is out of reach\n")));
    let stuck = Readiness::new(|| Box::pin(std::future::pending()));
    let stand = Stand::open_with(Settings::default(), stuck).await;
    assert_eq!(self::told(reqwest::Client::new().get(stand.url("/readyz"))).await.status, 503);
    let stand = Stand::open(Settings::default()).await;
    assert_eq!(self::told(reqwest::Client::new().get(stand.url("/readyz"))).await.status, 200);
}

#[tokio::test]
async fn readiness_is_red_from_the_moment_a_stop_is_asked_for() {
    let tasks = Tasks::new();
    let routes = router(
        tiny(Deeds::default()),
        Doorman::default(),
        Settings::default(),
        Readiness::always(),
        &tasks,
    );
    let ask = |path: &str| routes.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
    assert_eq!(ask("/readyz").await.unwrap().status(), 200);
    tasks.token().cancel();
    assert_eq!(ask("/readyz").await.unwrap().status(), 503);
    assert_eq!(ask("/healthz").await.unwrap().status(), 200, "it still lives");
}
