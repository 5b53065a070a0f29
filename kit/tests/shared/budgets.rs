//! Budgets: points are taken all or none, and come back with time.

use std::sync::Arc;
use std::time::Duration;

use moim_kit::shared::{Allowance, Shared as _, Spent};
use moim_kit::task::scoped;
use moim_testbed::Redis;
use tokio::time::sleep;

use crate::{Process, on_both_halves};

/// Fills so slowly that a test sees nothing of it.
const SLOW: Allowance = Allowance { capacity: 10, per_second: 0.000_1 };
const FAST: Allowance = Allowance { capacity: 10, per_second: 1_000.0 };

on_both_halves! {
    async fn points_are_taken_all_or_none(shared) {
        let taken = shared.spend("a", 7, SLOW).await.unwrap();
        assert_eq!(taken, Spent { granted: true, left: 3, wait: Duration::ZERO });
        let refused = shared.spend("a", 4, SLOW).await.unwrap();
        assert!(!refused.granted && refused.left == 3, "{refused:?}");
        assert!(refused.wait > Duration::from_secs(9_000), "{refused:?}");
        assert!(shared.spend("a", 3, SLOW).await.unwrap().granted, "what was refused took nothing");
        assert!(shared.spend("b", 10, SLOW).await.unwrap().granted, "buckets are apart");
    }

    async fn points_come_back_up_to_the_brim(shared) {
        assert!(shared.spend("a", 10, FAST).await.unwrap().granted);
        sleep(Duration::from_millis(100)).await;
        assert_eq!(shared.spend("a", 0, FAST).await.unwrap().left, 10);
    }

    async fn more_than_a_bucket_holds_is_never_granted(shared) {
        let refused = shared.spend("a", 11, FAST).await.unwrap();
        assert_eq!(refused, Spent { granted: false, left: 10, wait: Duration::MAX });
    }

    async fn a_bucket_that_never_fills_lets_nobody_wait(shared) {
        let once = Allowance { capacity: 1, per_second: 0.0 };
        assert!(shared.spend("a", 1, once).await.unwrap().granted);
        let refused = shared.spend("a", 1, once).await.unwrap();
        assert_eq!(refused, Spent { granted: false, left: 0, wait: Duration::MAX });
    }

    async fn many_at_once_take_no_more_than_there_is(shared) {
        let asks: Vec<_> = (0..200)
            .map(|_| {
                let shared = shared.clone();
                scoped(async move { shared.spend("a", 1, SLOW).await.unwrap().granted })
            })
            .collect();
        let mut granted = 0;
        for ask in asks {
            granted += usize::from(ask.await.unwrap());
        }
        assert_eq!(granted, 10);
    }
}

#[tokio::test]
async fn processes_draw_on_one_bucket() {
    let Some(server) = Redis::start().await else { return };
    let (one, other) = (Process::at(&server.url()).await, Process::at(&server.url()).await);
    one.until_up(true).await;
    other.until_up(true).await;
    assert!(one.redis.spend("a", 6, SLOW).await.unwrap().granted);
    assert!(!other.redis.spend("a", 6, SLOW).await.unwrap().granted);
    assert!(Arc::clone(&other.redis).spend("a", 4, SLOW).await.unwrap().granted);
}
