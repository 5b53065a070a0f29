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

/// One of two endpoints is asked to stop while people ask it; whoever is turned away goes to the other.
pub async fn under_load(platform: &mut Platform) {
    platform.another_endpoint().await;
    let over = Arc::new(AtomicBool::new(false));
    let (answered, turned_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let people: Vec<_> = (0..PEOPLE)
        .map(|_| {
            let (first, other) = (platform.client(), platform.client_at(1));
            let (over, answered, turned_away) =
                (over.clone(), answered.clone(), turned_away.clone());
            scoped(async move {
                while !over.load(Ordering::Relaxed) {
                    // As a load balancer does: a new connection that is refused goes elsewhere.
                    let http =
                        reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
                    let url = format!("{}/graphql", first.url());
                    let asked = http.post(url).json(&json!({ "query": ASK })).send().await;
                    match asked {
                        Ok(answer) => {
                            let status = answer.status();
                            let text =
                                answer.text().await.expect("an answer that was begun is whole");
                            assert!(status == 200 && !text.contains("errors"), "{status} {text}");
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            assert!(
                                error.is_connect(),
                                "a request that was let in is lost: {error:?}"
                            );
                            turned_away.fetch_add(1, Ordering::Relaxed);
                            other.data(ASK, json!({})).await;
                        }
                    }
                }
            })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    platform.room("bff").terminate();
    platform.room("bff").end_within(Duration::from_secs(15)).await;
    sleep(Duration::from_millis(300)).await;
    over.store(true, Ordering::Relaxed);
    for person in people {
        person.await.expect("nobody sees an error");
    }
    let [answered, turned_away] = [answered, turned_away].map(|it| it.load(Ordering::Relaxed));
    println!("stopped under load: {answered} answers, {turned_away} went to the other, 0 errors");
    assert!(answered > PEOPLE && turned_away > 0);
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
