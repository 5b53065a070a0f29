//! How often one address may ask at all: told before a body is read, and never to those who look after the program.

use std::time::Duration;

use futures::future::join_all;
use moim_e2e::{Platform, error_codes, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ways::ORDINARY;

/// Long enough for any answer; only a server that waits for the body gets there.
const PATIENCE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_asks_so_often_and_the_others_go_on() {
    let knobs = [
        ("MOIM_BFF__REQUESTS_PER_ADDRESS", "20"),
        ("MOIM_BFF__REQUESTS_PER_ADDRESS_PER_SECOND", "1"),
        ("MOIM_BFF__PROXIES", "1"),
        ("MOIM_BFF__ORIGINS", "[\"https://app.example\"]"),
    ];
    let platform = Platform::one_process_with(&knobs).await;
    let client = platform.client();
    let flood = [("x-forwarded-for", "192.0.2.1"), ("origin", "https://app.example")];
    let mut answers = Vec::new();
    for _ in 0..60 {
        answers.push(client.send_with(ORDINARY, json!({}), &flood).await);
    }
    let (refused, answered): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|it| it.status == 429);
    assert!(answered.len() >= 20 && answered.iter().all(|answer| answer.status == 200));
    let first = refused.first().expect("sixty are more than twenty");
    assert_eq!(error_codes(&first.body), ["RATE_LIMITED"], "{}", first.body);
    assert!(first.body["errors"][0]["extensions"]["retryAfterMs"].as_u64().unwrap() >= 1_000);
    assert!(first.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(first.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(first.header("cache-control"), Some("no-store"));

    // Announced, never sent, and not waited for.
    let address = client.url().trim_start_matches("http://");
    let mut waiting = Vec::new();
    for _ in 0..10 {
        waiting.push(TcpStream::connect(address).await.unwrap());
    }
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\n\
                content-type: application/json\r\ncontent-length: 100000\r\n\r\n";
    for stream in &mut waiting {
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    // One or the other may have been let in, for one a second is.
    let refused = waiting.iter_mut().map(async |stream| {
        let mut status = [0; 12];
        let read = timeout(PATIENCE, stream.read_exact(&mut status)).await;
        matches!(read, Ok(Ok(_))) && &status == b"HTTP/1.1 429"
    });
    assert!(join_all(refused).await.into_iter().any(|refused| refused));

    for path in ["/healthz", "/readyz"] {
        for _ in 0..30 {
            let url = format!("{}{path}", client.url());
            let asked = reqwest::Client::new().get(url).header("x-forwarded-for", "192.0.2.1");
            assert_eq!(asked.send().await.unwrap().status(), 200, "{path}");
        }
    }
    // Whatever else is served stands behind the same door.
    for path in ["/calendar/x.ics", "/webhooks/payment", "/nowhere"] {
        let url = format!("{}{path}", client.url());
        let mut statuses = Vec::new();
        for _ in 0..10 {
            let asked = reqwest::Client::new().get(&url).header("x-forwarded-for", "192.0.2.1");
            statuses.push(asked.send().await.unwrap().status().as_u16());
        }
        assert!(statuses.contains(&429), "{path}: {statuses:?}");
    }
    client.send_with(ORDINARY, json!({}), &[("x-forwarded-for", "192.0.2.2")]).await.data();
    client.send(ORDINARY, json!({})).await.data();
}
