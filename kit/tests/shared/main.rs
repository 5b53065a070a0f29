//! What replicas share, in memory and in Redis: the same sentences of both, and those of Redis alone.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod budgets;
mod faults;
mod near;
mod revocations;
mod values;
mod votes;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::shared::{Memory, Redis, Shared};
use moim_kit::task::Tasks;
use tokio::time::{sleep, timeout};

/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process's way to a Redis; its tasks end with it.
struct Process {
    redis: Arc<Redis>,
    tasks: Tasks,
}

impl Process {
    async fn at(url: &str) -> Self {
        let tasks = Tasks::new();
        Self { redis: Arc::new(Redis::open(url, &tasks).await.unwrap()), tasks }
    }

    /// Waits until calls reach Redis, or until they no longer try.
    async fn until_up(&self, up: bool) {
        let reached = async {
            while self.redis.is_up() != up {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

/// Declares tests that run in memory and in Redis.
macro_rules! on_both_halves {
    ($(async fn $name:ident($shared:ident) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs every import")]
            use super::*;

            async fn test($shared: std::sync::Arc<dyn moim_kit::shared::Shared>) $body

            #[tokio::test]
            async fn in_memory() {
                test($crate::memory()).await;
            }

            #[tokio::test]
            async fn in_redis() {
                if let Some(server) = moim_testbed::Redis::start().await {
                    let process = $crate::Process::at(&server.url()).await;
                    process.until_up(true).await;
                    test(process.redis.clone()).await;
                }
            }
        })*
    };
}
use on_both_halves;

fn memory() -> Arc<dyn Shared> {
    Arc::new(Memory::default())
}
