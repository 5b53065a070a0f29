//! Asking again: what may be, how often, when, and how much of it a failing room has to bear.

use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use moim_kit::wire::{BreakerConfig, Config};
use moim_kit::{Code as FaultCode, Fault};
use tokio::time::{Instant, advance};
use tonic::{Code, Status};

use crate::room::{Room, ask, body, call, ok, trailers, unavailable};

/// Fails each first time, then answers.
fn stumbling() -> Room {
    Room::new(|asked| async move { if asked.nth == 1 { unavailable() } else { ok() } })
}

/// A breaker that never opens, to see what the budget does alone.
fn unbroken() -> Config {
    let breaker = BreakerConfig { minimum_calls: u32::MAX, ..BreakerConfig::default() };
    Config { breaker, ..Config::default() }
}

#[tokio::test(start_paused = true)]
async fn reads_are_made_again_and_writes_only_under_a_key() {
    for (method, key, code, calls) in [
        ("Get", None, Code::Ok, 2),
        ("Attend", None, Code::Unavailable, 1),
        ("Attend", Some("k-1"), Code::Ok, 2),
    ] {
        let room = stumbling();
        let wire = room.shielded(&Config::default());
        let call = call().keyed(key);
        assert_eq!(ask(&wire, &call, method).await.code(), code, "{method}");
        assert_eq!(room.calls(), calls, "{method}");
        assert_eq!(call.bill().len(), 1, "what is asked once is billed once");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_may_pass_is_tried_again_and_only_once() {
    for (code, calls) in [
        (Code::Unavailable, 2),
        (Code::DeadlineExceeded, 1),
        (Code::Internal, 1),
        (Code::NotFound, 1),
        (Code::Aborted, 1),
    ] {
        let room = Room::saying(code);
        let wire = room.shielded(&Config::default());
        assert_eq!(ask(&wire, &call(), "Get").await.code(), code);
        assert_eq!(room.calls(), calls, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_torn_is_asked_for_again() {
    let data = || Ok(Frame::data(Bytes::from_static(b"half")));
    for torn in [false, true] {
        let room = Room::new(move |asked| async move {
            match (asked.nth, torn) {
                (1, true) => body(vec![data(), Err(Status::unknown("reset"))]),
                (1, false) => body(vec![data()]),
                _ => body(vec![data(), data(), Ok(trailers(Code::Ok))]),
            }
        });
        let wire = room.shielded(&Config::default());
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
        assert_eq!(room.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_may_say_when_to_come_again_or_not_to() {
    let told = Duration::from_millis(700);
    let room = Room::new(move |asked| async move {
        let later = Fault::unavailable("DATABASE_UNAVAILABLE", "gone").after(told);
        if asked.nth == 1 { Status::from(later).into_http() } else { ok() }
    });
    let wire = room.shielded(&Config::default());
    let began = Instant::now();
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    assert_eq!(began.elapsed().as_millis(), told.as_millis());

    let room = Room::new(|_| async {
        let mut response = unavailable();
        response.headers_mut().insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
        response
    });
    let wire = room.shielded(&Config::default());
    ask(&wire, &call(), "Get").await;
    assert_eq!(room.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_when_no_time_is_left_for_it() {
    let told = Duration::from_millis(700);
    let room = Room::new(move |_| async move {
        let later = Fault::unavailable("DATABASE_UNAVAILABLE", "gone").after(told);
        Status::from(later).into_http()
    });
    let wire = room.shielded(&Config::default());
    let soon = call().until(Instant::now() + Duration::from_millis(600));
    let began = Instant::now();
    assert_eq!(Fault::from(ask(&wire, &soon, "Get").await).code(), FaultCode::Unavailable);
    assert_eq!((room.calls(), began.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_always_fails_bears_a_tenth_more_and_one_a_second() {
    let room = Room::new(|_| async { unavailable() });
    let wire = room.shielded(&unbroken());
    let (seconds, each) = (60, 50);
    for _ in 0..seconds {
        let began = Instant::now();
        for _ in 0..each {
            ask(&wire, &call(), "Get").await;
        }
        let rest = Duration::from_secs(1).saturating_sub(began.elapsed());
        advance(rest).await;
    }
    let requests = seconds * each;
    // What is free may be saved up for the ten seconds that the budget remembers.
    let most = requests + requests / 10 + seconds + 10;
    assert!(room.calls() <= most, "{} of {requests}", room.calls());
    assert!(room.calls() > requests, "the control: some were made again");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_while_the_breaker_is_not_closed() {
    let room = Room::new(|_| async { unavailable() });
    let wire = room.shielded(&Config::default());
    for _ in 0..30 {
        ask(&wire, &call(), "Get").await;
    }
    let before = room.calls();
    advance(Duration::from_millis(1_300)).await;
    for _ in 0..10 {
        ask(&wire, &call(), "Get").await;
    }
    assert_eq!(room.calls(), before + 3, "three probes, and none of them twice");
}
