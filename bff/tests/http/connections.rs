//! Connections: what dawdles is cut, what is under way at a stop is finished.

use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_bff::http::{Limits, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::stand::{PATIENCE, Stand, read_to_end};

/// Long but for what a test is about, so that only that can end a connection.
fn limits(change: impl FnOnce(&mut Limits)) -> Settings {
    let long = Duration::from_secs(600);
    let mut limits =
        Limits { header: long, body: long, idle: long, write: long, ..Limits::default() };
    change(&mut limits);
    Settings { limits, ..Settings::default() }
}

const SHORT: Duration = Duration::from_millis(100);
const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn headers_that_trickle_are_cut() {
    let stand = Stand::open(limits(|limits| limits.header = SHORT)).await;
    for sent in [&b"G"[..], b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        assert_eq!(stand.raw(sent).await, "");
    }
    // Also after a first request that was in time.
    let mut stream = stand.tcp().await;
    stream.write_all(HEALTHZ).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    sleep(SHORT * 3).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let rest = read_to_end(&mut stream).await;
    assert!(!rest.contains("HTTP/1.1"), "{rest}");
}

#[tokio::test]
async fn bodies_that_trickle_get_408() {
    let stand = Stand::open(limits(|limits| limits.body = SHORT)).await;
    let request = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Content-Length: 100\r\n\r\n{\"query\":";
    let answer = stand.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("REQUEST_TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn peers_that_neither_ask_nor_leave_are_cut() {
    let stand = Stand::open(limits(|limits| limits.idle = SHORT)).await;
    assert_eq!(stand.raw(b"").await, "");
    let answer = stand.raw(HEALTHZ).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn work_longer_than_every_limit_is_not_cut() {
    let stand = Stand::open(limits(|limits| {
        limits.header = SHORT;
        limits.idle = SHORT;
        limits.write = SHORT;
    }))
    .await;
    let told = stand.post("{ afterMs(ms: 600) }", "*/*").await;
    assert_eq!(told.body["data"]["afterMs"], 600);
}

#[tokio::test]
async fn readers_that_do_not_read_are_cut() {
    let mut settings = limits(|limits| (limits.write, limits.connections) = (SHORT, 1));
    settings.answer_bytes = 64 * 1024 * 1024;
    let stand = Stand::open(settings).await;
    let mut stuck = stand.tcp().await;
    let request = "GET /graphql?query=%7Btext(bytes:20000000)%7D HTTP/1.1\r\nHost: x\r\n\r\n";
    stuck.write_all(request.as_bytes()).await.unwrap();
    // Its place is the only one, so this is answered once it is gone.
    let mut next = stand.tcp().await;
    next.write_all(HEALTHZ).await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, next.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let answer = read_to_end(&mut stuck).await;
    assert!(answer.starts_with("HTTP/1.1 200 "));
    assert!(answer.len() < 20_000_000, "all of it was sent");
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_a_place() {
    let stand = Stand::open(limits(|limits| limits.connections = 1)).await;
    let first = stand.tcp().await;
    let mut second = stand.tcp().await;
    second.write_all(HEALTHZ).await.unwrap();
    let mut answer = [0; 12];
    let early = timeout(SHORT, second.read_exact(&mut answer)).await;
    assert!(early.is_err(), "answered beside a connection that held the only place");
    drop(first);
    timeout(PATIENCE, second.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let stand = Stand::open(Settings::default()).await;
    let idle = stand.tcp().await;
    let mut working = stand.tcp().await;
    let request = "GET /graphql?query=%7BafterMs(ms:300)%7D HTTP/1.1\r\nHost: x\r\n\r\n";
    working.write_all(request.as_bytes()).await.unwrap();
    sleep(SHORT).await;
    assert!(stand.tasks.stop(PATIENCE).await, "something kept running");
    let answer = read_to_end(&mut working).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"afterMs\":300"), "{answer}");
    let mut idle = idle;
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(tokio::net::TcpStream::connect(stand.address).await.is_err());
}

#[tokio::test]
async fn who_leaves_answers_everybody_and_keeps_no_connection() {
    let stand = Stand::open(Settings::default()).await;
    let mut kept = stand.tcp().await;
    kept.write_all(HEALTHZ).await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, kept.read_exact(&mut answer)).await.unwrap().unwrap();
    let asked = async {
        stand.tasks.leaving().cancelled().await;
        let new = stand.tcp().await;
        for mut connection in [kept, new] {
            connection.write_all(HEALTHZ).await.unwrap();
            let answer = read_to_end(&mut connection).await;
            assert!(answer.contains("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
    };
    let leave = stand.tasks.leave(PATIENCE, Duration::ZERO);
    tokio::select! {
        () = asked => {}
        () = leave => panic!("it was to answer before"),
    }
    assert!(!stand.tasks.parting().is_cancelled());
}

#[tokio::test]
async fn a_stop_waits_only_so_long() {
    let settings = limits(|limits| limits.stop = SHORT);
    let settings = Settings { query_deadline: Duration::from_secs(600), ..settings };
    let stand = Stand::open(settings).await;
    let mut stuck = stand.tcp().await;
    let request = "GET /graphql?query=%7BforEver%7D HTTP/1.1\r\nHost: x\r\n\r\n";
    stuck.write_all(request.as_bytes()).await.unwrap();
    while stand.deeds.started.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(stand.tasks.stop(PATIENCE).await);
    assert_eq!(stand.deeds.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(read_to_end(&mut stuck).await, "");
}
