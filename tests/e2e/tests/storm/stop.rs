//! An endpoint that stops, and one that is short of file descriptors: nobody who was let in is lost.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use moim_e2e::{Platform, eventually, json};
use moim_kit::task::scoped;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

const ASK: &str = "{ regions { name } gatherings(first: 3) { edges { node { title } } } }";
const PEOPLE: usize = 16;

/// One of two endpoints is asked to stop while people ask it; a balancer sends them to the other once it is not ready.
pub async fn under_load(platform: &mut Platform) {
    platform.another_endpoint(&[]).await;
    let (over, ready) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let counts = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let ends = [platform.client().url().to_owned(), platform.client_at(1).url().to_owned()];
    let mut tasks = Vec::new();
    for _ in 0..PEOPLE {
        let (ends, counts) = (ends.clone(), counts.clone());
        let (over, ready) = (Arc::clone(&over), Arc::clone(&ready));
        tasks.push(scoped(async move {
            // Each request on a connection of its own: a kept one may be closed just when it is used again.
            let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
            while !over.load(Ordering::Relaxed) {
                let end = usize::from(!ready.load(Ordering::Relaxed));
                let asked = http.post(format!("{}/graphql", ends[end]));
                let answer =
                    asked.json(&json!({ "query": ASK })).send().await.expect("it is answered");
                let status = answer.status();
                let text = answer.text().await.expect("an answer that was begun is whole");
                assert!(status == 200 && !text.contains("errors"), "{status} {text}");
                counts[end].fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let (balancer_over, url) = (Arc::clone(&over), format!("{}/readyz", ends[0]));
    tasks.push(scoped(async move {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        while !balancer_over.load(Ordering::Relaxed) {
            let asked = http.get(&url).send().await;
            ready.store(asked.is_ok_and(|it| it.status() == 200), Ordering::Relaxed);
            sleep(Duration::from_millis(20)).await;
        }
    }));
    sleep(Duration::from_secs(1)).await;
    platform.room("bff").terminate();
    platform.room("bff").end_within(Duration::from_secs(15)).await;
    sleep(Duration::from_millis(300)).await;
    over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("nobody sees an error");
    }
    let [first, other] = counts.map(|count| count.load(Ordering::Relaxed));
    println!("stopped under load: {first} answers, then {other} of the other, 0 errors");
    assert!(first > 0 && other > 0);
}

/// More connections than the endpoint has descriptors for: it lives, and goes on once they are gone.
pub async fn without_descriptors(platform: &mut Platform) {
    let client = platform.client();
    let place = client.url().trim_start_matches("http://").to_owned();
    let id = platform.room("bff").id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &id, "--nofile=96:96"]).status().unwrap();
    assert!(limited.success());
    let mut held = Vec::new();
    for _ in 0..200 {
        // Those beyond the limit wait in the system's queue.
        let mut stream = TcpStream::connect(&place).await.unwrap();
        stream.write_all(b"POST /graphql HTTP/1.1\r\n").await.unwrap();
        held.push(stream);
    }
    sleep(Duration::from_millis(500)).await;
    assert!(platform.room("bff").ended().is_none(), "it lives");
    assert!(platform.room("bff").stderr().contains("a connection could not be accepted"));
    drop(held);
    eventually(async || {
        let asked =
            tokio::time::timeout(Duration::from_secs(2), client.try_send(ASK, json!({}))).await;
        match asked {
            Ok(Some(answer)) if answer.status == 200 && answer.body.get("errors").is_none() => {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
