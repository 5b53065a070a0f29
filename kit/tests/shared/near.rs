//! Values held near: read as they are elsewhere, whatever becomes of the connection that tells of changes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moim_kit::shared::Near;
use moim_testbed::Redis;
use tokio::time::{sleep, timeout};

use crate::{PATIENCE, Process, memory};

const LONG: Duration = Duration::from_secs(600);

/// What is held near in one process, and the same values as another process has them.
struct Pair {
    here: Near,
    elsewhere: Near,
}

/// Says a sentence of values in memory and in Redis.
macro_rules! on_both_halves {
    ($(async fn $name:ident($pair:ident) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs every import")]
            use super::*;

            async fn test($pair: Pair) $body

            #[tokio::test]
            async fn in_memory() {
                let shared = memory();
                let near = || Near::over_memory(shared.clone());
                test(Pair { here: near(), elsewhere: near() }).await;
            }

            #[tokio::test]
            async fn in_redis() {
                let Some(server) = Redis::start().await else { return };
                let (one, other) = (Process::at(&server.url()).await, Process::at(&server.url()).await);
                let pair = Pair { here: one.redis.near(), elsewhere: other.redis.near() };
                following(&pair.here, true).await;
                following(&pair.elsewhere, true).await;
                test(pair).await;
            }
        })*
    };
}

/// Waits until changes are told, or are not.
async fn following(near: &Near, told: bool) {
    let reached = async {
        while near.is_following() != told {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap();
}

fn keys<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

/// Waits until a key reads so here; what is held near may be a moment behind.
async fn reads(near: &Near, key: &str, value: Option<&'static str>) {
    let value = value.map(|value| Bytes::from_static(value.as_bytes()));
    let reached = async {
        loop {
            if near.values(&keys([key])).await.is_ok_and(|read| read == [value.clone()]) {
                return;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{key} is not {value:?}"));
}

on_both_halves! {
    async fn values_come_in_the_order_of_their_keys(pair) {
        pair.here.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
        pair.here.keep("b", Bytes::from_static(b"2"), LONG).await.unwrap();
        for _ in 0..3 {
            let read = pair.here.values(&keys(["b", "none", "a", "b"])).await.unwrap();
            let two = Some(Bytes::from_static(b"2"));
            assert_eq!(read, [two.clone(), None, Some(Bytes::from_static(b"1")), two]);
        }
    }

    async fn a_change_elsewhere_is_read_here(pair) {
        reads(&pair.here, "a", None).await;
        pair.elsewhere.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
        reads(&pair.here, "a", Some("1")).await;
        pair.elsewhere.keep("a", Bytes::from_static(b"2"), LONG).await.unwrap();
        reads(&pair.here, "a", Some("2")).await;
        pair.elsewhere.forget(&keys(["a"])).await.unwrap();
        reads(&pair.here, "a", None).await;
    }

    async fn a_value_goes_when_its_time_is_over(pair) {
        pair.here.keep("a", Bytes::from_static(b"1"), Duration::from_millis(100)).await.unwrap();
        reads(&pair.here, "a", Some("1")).await;
        reads(&pair.here, "a", None).await;
    }
}

#[tokio::test]
async fn what_is_held_costs_no_round_trip_and_ends_with_the_connection() {
    let Some(mut server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    let near = process.redis.near();
    following(&near, true).await;
    near.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
    reads(&near, "a", Some("1")).await;
    let asked = calls_of_mget(&server).await;
    // Its own change may still be on its way here once.
    for _ in 0..100 {
        reads(&near, "a", Some("1")).await;
    }
    assert!(calls_of_mget(&server).await <= asked + 1);
    server.kill();
    following(&near, false).await;
    assert!(near.values(&keys(["a"])).await.is_err(), "what nobody vouches for is not told");
    server.start_again().await;
    following(&near, true).await;
    process.until_up(true).await;
    reads(&near, "a", None).await;
}

#[tokio::test]
async fn an_emptied_redis_is_empty_near_too() {
    let Some(server) = Redis::start().await else { return };
    let process = Process::at(&server.url()).await;
    let near = Arc::new(process.redis.near());
    following(&near, true).await;
    for round in 0..3 {
        near.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
        reads(&near, "a", Some("1")).await;
        server.flush().await;
        reads(&near, "a", None).await;
        assert!(near.is_following(), "round {round}");
    }
}

/// How often values were read from the server.
async fn calls_of_mget(server: &Redis) -> u64 {
    let told = server.tell("INFO commandstats").await;
    let line = told.lines().find_map(|line| line.strip_prefix("cmdstat_mget:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or_default()
}
