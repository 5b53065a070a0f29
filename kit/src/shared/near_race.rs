//! Proof that a value held near is never older than what was told: readers race with a writer over a slow network,
//! once with the generations and once, as a control, without.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moim_testbed::Redis as Server;
use tokio::time::{sleep, timeout};

use super::near::{Held, Near};
use super::{Allowance, Lost, Redis, Shared, Spent, Vote};
use crate::task::{Tasks, scoped};

const ROUNDS: u32 = 300;
const KEY: &str = "a";
const LONG: Duration = Duration::from_secs(600);

/// Answers come late, as over a long line; what they tell was so when they left.
#[derive(Debug)]
struct Distant(Arc<Redis>);

#[async_trait]
impl Shared for Distant {
    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
        let values = self.0.values(keys).await;
        sleep(Duration::from_millis(2)).await;
        values
    }
    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost> {
        self.0.keep(key, value, time).await
    }
    async fn spend(&self, _: &str, _: u64, _: Allowance) -> Result<Spent, Lost> {
        unreachable!()
    }
    async fn vote(&self, _: Vote<'_>) -> Result<bool, Lost> {
        unreachable!()
    }
    async fn best(&self, _: &str, _: usize) -> Result<Vec<(String, f64)>, Lost> {
        unreachable!()
    }
    async fn forget(&self, _: &[String]) -> Result<(), Lost> {
        unreachable!()
    }
}

/// How often a value was still held that was replaced before, with its replacement told.
async fn stale_of_all_rounds(careless: bool) -> Option<u32> {
    let server = Server::start().await?;
    let (tasks, elsewhere) = (Tasks::new(), Tasks::new());
    let held = Arc::new(if careless { Held::careless() } else { Held::default() });
    let reader = Redis::open_holding(&server.url(), &tasks, held.clone()).await.unwrap();
    let writer = Redis::open(&server.url(), &elsewhere).await.unwrap();
    let near = Arc::new(Near::over_redis(Arc::new(Distant(Arc::new(reader))), held));
    while !near.is_following() {
        sleep(Duration::from_millis(5)).await;
    }
    let reading = near.clone();
    let reads = scoped(async move {
        loop {
            let _ = reading.values(&[KEY.to_owned()]).await;
            sleep(Duration::from_micros(200)).await;
        }
    });
    let mut stale = 0;
    for round in 0..ROUNDS {
        let value = Bytes::from(round.to_string());
        writer.keep("near:a", value.clone(), LONG).await.unwrap();
        // Long enough for the change to be told and for reads before it to come back.
        sleep(Duration::from_millis(8)).await;
        let read = timeout(LONG, near.values(&[KEY.to_owned()])).await.unwrap().unwrap();
        stale += u32::from(read != [Some(value)]);
    }
    drop(reads);
    tasks.token().cancel();
    elsewhere.token().cancel();
    Some(stale)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_never_older_than_what_was_told() {
    if let Some(stale) = stale_of_all_rounds(false).await {
        assert_eq!(stale, 0, "of {ROUNDS} reads beside another reader");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_generations_old_values_are_held() {
    if let Some(stale) = stale_of_all_rounds(true).await {
        assert!(stale > 0, "the race above would not be found");
    }
}
