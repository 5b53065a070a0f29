//! Clients that dawdle, break off or hold on: each is cut, and nobody else notices.

use std::time::Duration;

use moim_e2e::{Client, Platform};
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::scene::assert_quiet;
use crate::wire::{answers, connect, read, send};

const HEAD: &str = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
/// Far below the limits, so that only the whole is slow.
const PAUSE: Duration = Duration::from_millis(50);

async fn hasty() -> Platform {
    Platform::one_process_with(&[
        ("MOIM_BFF__HEADER_TIMEOUT_MS", "500"),
        ("MOIM_BFF__BODY_TIMEOUT_MS", "500"),
        ("MOIM_BFF__IDLE_TIMEOUT_MS", "1000"),
    ])
    .await
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let platform = hasty().await;
    let client = platform.client();
    let raw = send(&client, format!("{HEAD}content-length: 100\r\n\r\n{{").as_bytes()).await;
    assert_eq!((raw.status(), raw.code().as_str()), (408, "REQUEST_TIMEOUT"), "{}", raw.text);
    answers(&client, "a body that did not come").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn a_body_that_trickles_is_a_timeout() {
    let platform = hasty().await;
    let client = platform.client();
    let mut stream = connect(&client).await;
    stream.write_all(format!("{HEAD}content-length: 1000\r\n\r\n").as_bytes()).await.unwrap();
    trickle(&mut stream).await;
    let raw = read(&mut stream).await;
    assert_eq!((raw.status(), raw.code().as_str()), (408, "REQUEST_TIMEOUT"), "{}", raw.text);
    answers(&client, "a body that trickled").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn headers_that_trickle_or_stop_close_the_connection() {
    let platform = hasty().await;
    let client = platform.client();
    for start in ["G", "POST /graphql HTTP/1.1\r\n", HEAD] {
        let raw = send(&client, start.as_bytes()).await;
        assert!(matches!(raw.status(), 0 | 408), "{start}: {}", raw.text);
    }
    let mut stream = connect(&client).await;
    stream.write_all(format!("{HEAD}x-slow: ").as_bytes()).await.unwrap();
    trickle(&mut stream).await;
    let raw = read(&mut stream).await;
    assert!(matches!(raw.status(), 0 | 408), "{}", raw.text);
    answers(&client, "headers that trickled").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let platform = hasty().await;
    let client = platform.client();
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(connect(&client).await);
    }
    answers(&client, "a hundred silent connections").await;
    for stream in &mut streams {
        assert_eq!(read(stream).await.text, "");
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn requests_that_are_broken_off_leave_nothing_behind() {
    let platform = hasty().await;
    let client = platform.client();
    for _ in 0..50 {
        let mut stream = connect(&client).await;
        let begun = format!("{HEAD}content-length: 100\r\n\r\n{{\"query\":");
        stream.write_all(begun.as_bytes()).await.unwrap();
        drop(stream);
        let mut stream = connect(&client).await;
        let body = r#"{"query":"{ regions { id name } }"}"#;
        let whole = format!("{HEAD}content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(whole.as_bytes()).await.unwrap();
        drop(stream);
    }
    answers(&client, "a hundred broken requests").await;
    still_fast(&client).await;
    assert_quiet(&platform);
}

/// As many requests as could be stuck are answered one after another.
async fn still_fast(client: &Client) {
    for _ in 0..20 {
        answers(client, "all that").await;
    }
}

/// Sends a byte now and then until the other side has had enough.
async fn trickle(stream: &mut tokio::net::TcpStream) {
    for _ in 0..200 {
        if stream.write_all(b"x").await.is_err() || closed(stream).await {
            return;
        }
        sleep(PAUSE).await;
    }
    panic!("nothing cut a sender that needed ten seconds");
}

async fn closed(stream: &tokio::net::TcpStream) -> bool {
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(1), stream.peek(&mut byte)).await.is_ok()
}
