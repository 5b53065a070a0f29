//! Places at a room: so many calls at once, a short line, and none for what lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use moim_kit::Fault;
use moim_kit::wire::Config;
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::room::{Room, ask, body, call, ok, open};

#[tokio::test(start_paused = true)]
async fn thirty_two_are_served_thirty_two_wait_and_the_rest_is_told_when_to_come() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (inside.clone(), most.clone());
    let room = Room::new(move |_| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let now = now.clone();
        async move {
            sleep(Duration::from_millis(40)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            ok()
        }
    });
    let wire =
        room.shielded(&Config { write_queue: 32, write_queue_wait_ms: 50, ..Config::default() });
    let began = Instant::now();
    let answers = join_all((0..100).map(|_| async { ask(&wire, &call(), "Attend").await })).await;
    let (served, turned_away): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|status| status.code() == Code::Ok);
    assert_eq!((served.len(), turned_away.len()), (64, 36));
    assert_eq!(most.load(Ordering::SeqCst), 32);
    assert_eq!(began.elapsed().as_millis(), 80);
    for status in turned_away {
        let fault = Fault::from(status);
        assert_eq!(fault.reason(), "ROOM_BUSY");
        assert_eq!(fault.retry_after(), Some(Duration::from_millis(250)));
    }
    assert_eq!(ask(&wire, &call(), "Attend").await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_rush_of_writers_stands_in_line() {
    let room = Room::new(|_| async {
        sleep(Duration::from_millis(40)).await;
        ok()
    });
    let wire = room.shielded(&Config::default());
    let answers = join_all((0..500).map(|_| async { ask(&wire, &call(), "Attend").await })).await;
    assert!(answers.iter().all(|status| status.code() == Code::Ok));
}

#[tokio::test(start_paused = true)]
async fn a_line_of_writers_costs_no_reader_its_place() {
    let room = Room::new(|asked| async move {
        if asked.method == "Attend" {
            sleep(Duration::from_secs(2)).await;
        }
        ok()
    });
    let wire = room.shielded(&Config::default());
    let writers = join_all((0..64).map(|_| async { ask(&wire, &call(), "Attend").await }));
    let readers = async {
        sleep(Duration::from_millis(10)).await;
        for _ in 0..100 {
            assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
        }
    };
    tokio::join!(writers, readers);
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_leaves_takes_no_place_along() {
    let room = Room::new(|asked| async move {
        if asked.nth <= 32 {
            std::future::pending::<()>().await;
        }
        ok()
    });
    let wire = room.shielded(&Config::default());
    let all = join_all((0..64).map(|_| async { ask(&wire, &call(), "Attend").await }));
    assert!(tokio::time::timeout(Duration::from_millis(10), all).await.is_err());
    let again = join_all((0..64).map(|_| async { ask(&wire, &call(), "Attend").await })).await;
    assert!(again.iter().all(|status| status.code() == Code::Ok));
}

#[tokio::test(start_paused = true)]
async fn streams_hold_no_place() {
    let room = Room::new(|_| async { body(vec![]) });
    let wire = room.shielded(&Config::default());
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(open(&wire, &call(), "Follow", "", &[]).await);
    }
    assert!(streams.iter().all(|stream| stream.headers().get("grpc-status").is_none()));
}
