//! A Redis that is killed, frozen, emptied, full, or not there: nobody waits for it, and budgets go on.

use std::time::Duration;

use bytes::Bytes;
use moim_kit::shared::{self, Allowance, Shared as _};
use moim_kit::task::{Tasks, scoped};
use moim_testbed::Redis;

use crate::Process;

const SLOW: Allowance = Allowance { capacity: 10, per_second: 0.000_1 };
const LONG: Duration = Duration::from_secs(600);

/// Asks a hundred times, twenty at once; tells how many were lost.
async fn asked_a_hundred_times(process: &Process) -> usize {
    let mut lost = 0;
    for _ in 0..5 {
        let asks: Vec<_> = (0..20)
            .map(|_| {
                let redis = process.redis.clone();
                scoped(async move { redis.values(&["a".to_owned()]).await.is_err() })
            })
            .collect();
        for ask in asks {
            lost += usize::from(ask.await.unwrap());
        }
    }
    lost
}

#[tokio::test]
async fn a_frozen_redis_is_waited_for_once() {
    let Some(mut server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    process.until_up(true).await;
    server.freeze().await;
    assert_eq!(asked_a_hundred_times(&process).await, 100);
    // Those who asked beside the first may have waited out their time at the same moment as it.
    assert!(process.redis.waits() <= 20, "{} waited", process.redis.waits());
    let waited = process.redis.waits();
    assert_eq!(asked_a_hundred_times(&process).await, 100);
    assert_eq!(process.redis.waits(), waited, "nobody waits again");
    server.thaw().await;
    process.until_up(true).await;
    assert_eq!(asked_a_hundred_times(&process).await, 0);
}

#[tokio::test]
async fn a_killed_redis_is_not_waited_for_and_is_found_again() {
    let Some(mut server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    process.until_up(true).await;
    process.redis.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
    server.kill();
    assert_eq!(asked_a_hundred_times(&process).await, 100);
    assert_eq!(process.redis.waits(), 0, "a closed connection tells at once");
    server.start_again().await;
    process.until_up(true).await;
    assert_eq!(process.redis.values(&["a".to_owned()]).await.unwrap(), [None]);
    assert!(process.redis.spend("a", 1, SLOW).await.unwrap().granted, "scripts are loaded again");
}

#[tokio::test]
async fn budgets_go_on_in_memory_while_redis_is_away() {
    let Some(mut server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    process.until_up(true).await;
    assert!(process.redis.spend("a", 10, SLOW).await.unwrap().granted);
    server.freeze().await;
    let granted = async |points| process.redis.spend("a", points, SLOW).await.unwrap().granted;
    assert!(granted(6).await, "this process counts for itself");
    assert!(!granted(6).await, "and still counts");
    server.thaw().await;
    process.until_up(true).await;
    assert!(!granted(1).await, "what was spent before stays spent");
    server.flush().await;
    assert!(granted(10).await, "an emptied bucket is full");
    assert!(!granted(1).await);
}

#[tokio::test]
async fn a_process_opens_without_redis_and_finds_it_when_it_comes() {
    let Some(mut server) = Redis::reserve() else { return };
    let process = Process::at(&server.url()).await;
    assert!(process.redis.values(&["a".to_owned()]).await.is_err());
    assert!(process.redis.spend("a", 1, SLOW).await.unwrap().granted);
    server.start_again().await;
    process.until_up(true).await;
    process.redis.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
}

#[tokio::test]
async fn a_redis_without_room_is_gone_without_and_not_given_up() {
    let Some(server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    process.until_up(true).await;
    process.redis.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
    assert_eq!(server.ask("CONFIG SET maxmemory 1").await, "+OK");
    assert!(process.redis.keep("b", Bytes::from_static(b"1"), LONG).await.is_err());
    assert!(process.redis.spend("a", 1, SLOW).await.unwrap().granted);
    assert!(process.redis.is_up());
    assert_eq!(process.redis.values(&["a".to_owned()]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_key_has_a_name_of_ours_and_an_end() {
    let Some(server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    process.until_up(true).await;
    crate::votes::cast_one(&*process.redis).await;
    process.redis.keep("a", Bytes::from_static(b"1"), Duration::MAX).await.unwrap();
    let never = Allowance { capacity: 1, per_second: 0.0 };
    assert!(process.redis.spend("a", 1, never).await.unwrap().granted);
    for key in ["moim:board:hobbies", "moim:voters:1:hobbies", "moim:value:a", "moim:bucket:a"] {
        let left = server.ask(&format!("PTTL {key}")).await;
        let left: i64 = left.trim_start_matches(':').parse().unwrap();
        assert!(left > 0, "{key} ends in {left} ms");
    }
    assert_eq!(server.ask("DBSIZE").await, ":4");
}

#[tokio::test]
async fn what_is_no_redis_is_refused_or_gone_without() {
    let tasks = Tasks::new();
    for url in ["http://localhost", "redis//localhost", "nonsense"] {
        let refused = shared::Redis::open(url, &tasks).await.unwrap_err().to_string();
        assert!(refused.contains("shared.url"), "{refused}");
    }
    let Some(server) = Redis::start().await else { return };
    let guarded = server.url().replace("redis://", "rediss://");
    let process = Process::at(&guarded).await;
    assert!(!process.redis.is_up(), "it speaks no TLS");
    assert!(process.redis.spend("a", 1, SLOW).await.unwrap().granted);
    tasks.stop(Duration::from_secs(5)).await;
}
