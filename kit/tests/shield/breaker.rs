//! The breaker at its place: what counts, what a refusal says, and that others are left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http_body_util::BodyExt as _;
use moim_kit::wire::Config;
use moim_kit::{Code as FaultCode, Fault, metrics};
use tokio::time::{advance, sleep};
use tonic::{Code, Status};

use crate::room::{Room, ask, body, call, ok, open, trailers, unavailable};

#[tokio::test(start_paused = true)]
async fn a_room_that_keeps_failing_is_not_asked_until_it_is_well() {
    let ill = Arc::new(AtomicBool::new(true));
    let state = ill.clone();
    let room = Room::new(move |_| {
        let ill = state.load(Ordering::SeqCst);
        async move { if ill { Status::internal("ill").into_http() } else { ok() } }
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..1_000 {
        assert_ne!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    }
    assert_eq!(room.calls(), 20);
    let refused = Fault::from(ask(&wire, &call(), "Get").await);
    assert_eq!((refused.code(), refused.reason()), (FaultCode::Unavailable, "ROOM_RESTING"));
    let wait = refused.retry_after().unwrap();
    assert!((1..=1_200).contains(&wait.as_millis()), "{wait:?}");

    ill.store(false, Ordering::SeqCst);
    advance(wait).await;
    for _ in 0..100 {
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_fail_leave_writes_alone() {
    let room = Room::new(|asked| async move {
        if asked.method == "Get" { Status::internal("ill").into_http() } else { ok() }
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..100 {
        ask(&wire, &call(), "Get").await;
        assert_eq!(ask(&wire, &call(), "Attend").await.code(), Code::Ok);
    }
    assert_eq!(room.calls(), 120);
}

#[tokio::test(start_paused = true)]
async fn what_people_cannot_do_never_opens_it() {
    for code in [Code::FailedPrecondition, Code::NotFound, Code::PermissionDenied, Code::Aborted] {
        let room = Room::saying(code);
        let wire = room.shielded(&Config::default());
        for _ in 0..500 {
            assert_eq!(ask(&wire, &call(), "Attend").await.code(), code);
        }
        assert_eq!(room.calls(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_says_why_it_cannot_yet_is_in_order() {
    let room = Room::new(|_| async {
        Status::from(Fault::new(FaultCode::Unavailable, "CARD_MISSING", "Not yet.")).into_http()
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..100 {
        let fault = Fault::from(ask(&wire, &call(), "Get").await);
        assert_eq!(fault.reason(), "CARD_MISSING");
    }
    assert_eq!(room.calls(), 100, "and it is not asked twice for what it has waited for itself");
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_say_nothing_of_the_room() {
    let room = Room::new(|asked| async move {
        if asked.nth <= 500 {
            sleep(Duration::from_secs(600)).await;
        }
        ok()
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..500 {
        let left = tokio::time::timeout(Duration::from_millis(1), ask(&wire, &call(), "Get")).await;
        assert!(left.is_err());
    }
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn time_that_another_room_has_spent_is_not_held_against_this_one() {
    let room = Room::new(|_| async {
        sleep(Duration::from_millis(200)).await;
        ok()
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..100 {
        let late = call().until(tokio::time::Instant::now() + Duration::from_millis(150));
        assert_eq!(ask(&wire, &late, "Get").await.code(), Code::DeadlineExceeded);
    }
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_only_crawls_is_left_alone_too() {
    let room = Room::new(|_| async {
        sleep(Duration::from_millis(3_300)).await;
        ok()
    });
    let wire = room.shielded(&Config::default());
    // As many at once as make the breaker decide; each another question, so that none is shared.
    for (method, then) in [("Attend", Code::Ok), ("Get", Code::Unavailable)] {
        let all = (0..20).map(|nth| {
            let (method, wire) = (format!("{method}{nth}"), wire.clone());
            async move { ask(&wire, &call(), &method).await.code() }
        });
        assert_eq!(join_all(all).await, [Code::Ok; 20]);
        assert_eq!(ask(&wire, &call(), method).await.code(), then, "a write has more time");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_stream_is_neither_slow_nor_a_failure_and_one_that_breaks_is_one() {
    let room = Room::new(|_| async {
        sleep(Duration::from_millis(10)).await;
        body(vec![Ok(trailers(Code::Unavailable))])
    });
    let wire = room.shielded(&Config::default());
    for nth in 0..40 {
        let response = open(&wire, &call(), "Follow", "", &[]).await;
        assert_eq!(response.headers().get("grpc-status").is_none(), nth < 10, "{nth}");
        // Half of what is counted is that they began, the other half that they broke.
        let _ = response.into_body().collect().await;
    }

    let room = Room::new(|_| async {
        body(vec![Ok(http_body::Frame::data(bytes::Bytes::from_static(b"1")))])
    });
    let wire = room.shielded(&Config::default());
    for _ in 0..100 {
        let response = open(&wire, &call(), "Follow", "", &[]).await;
        assert!(response.headers().get("grpc-status").is_none());
        advance(Duration::from_secs(1)).await;
        drop(response);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_breaker_does_is_measured_by_room_and_class() {
    metrics::open().unwrap();
    let room = Room::new(|_| async { unavailable() });
    let config = Config::default();
    let wire = moim_kit::wire::shielded("measured", &config, moim_kit::wire::local(room));
    let has = |line: &str| metrics::text().unwrap().lines().any(|it| it == line);
    assert!(has(r#"moim_breaker_state{class="read",room="measured"} 0"#));
    for _ in 0..40 {
        ask(&wire, &call(), "Get").await;
    }
    let text = metrics::text().unwrap();
    assert!(has(r#"moim_breaker_state{class="read",room="measured"} 2"#), "{text}");
    assert!(has(r#"moim_breaker_state{class="write",room="measured"} 0"#), "{text}");
    assert!(has(r#"moim_bulkhead_in_flight{class="read",room="measured"} 0"#), "{text}");
    assert!(text.contains(r#"moim_retry_budget{room="measured"}"#), "{text}");
    assert!(!has(r#"moim_retry_budget{room="measured"} 10"#), "nothing was spent of it: {text}");
    for counted in ["moim_calls_refused_total", "moim_calls_repeated_total"] {
        let label = format!(r#"{counted}{{class="read",room="measured"}}"#);
        assert!(text.contains(&label), "{label}: {text}");
    }
}
