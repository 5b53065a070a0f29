//! What a caller may ask for over time: points of cost, and tries to get in, counted together with the other replicas.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::id::MemberId;
use moim_kit::shared::{Allowance, Memory, Shared, Spent};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

/// For the store to answer; what it does not say by then is decided without it.
const PATIENCE: Duration = Duration::from_millis(50);
/// The store is not asked again so long after it was lost.
const LOST_FOR: Duration = Duration::from_secs(1);

/// How much each caller has; None is without end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances {
    /// Points of a member.
    pub member: Option<Allowance>,
    /// Points of the strangers of one address.
    pub stranger: Option<Allowance>,
    /// Log-ins and sign-ups of one address.
    pub attempts: Option<Allowance>,
}

/// Whose points.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// A member's, wherever they are.
    Member(MemberId),
    /// The strangers' of an address.
    Address(IpAddr),
    /// Of what comes by no network.
    Nobody,
}

/// What an operation was charged, or would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Points it asked for.
    pub requested: u64,
    /// Points of a full bucket.
    pub limit: u64,
    /// Points left.
    pub left: u64,
    /// Until the bucket is full again.
    pub full_in: Duration,
}

/// Nothing was charged, for there was not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How things stand.
    pub charge: Charge,
    /// Until there is enough; None when there never is.
    pub wait: Option<Duration>,
}

/// Everybody's buckets.
pub struct Budgets {
    shared: Arc<dyn Shared>,
    /// Where this process counts alone while the store is lost.
    own: Memory,
    lost_at: Mutex<Option<Instant>>,
    allowances: Allowances,
}

impl Budgets {
    /// In a store that may be lost at any time.
    pub fn new(shared: Arc<dyn Shared>, allowances: Allowances) -> Self {
        Self { shared, own: Memory::default(), lost_at: Mutex::default(), allowances }
    }

    /// Takes the points of an operation, all or none; nothing is told where there is no end of them.
    pub async fn charge(&self, whose: Whose, points: u64) -> Result<Option<Charge>, Refused> {
        let Allowances { member, stranger, .. } = self.allowances;
        let (bucket, rule) = match whose {
            Whose::Member(member_id) => (format!("cost/member/{member_id}"), member),
            Whose::Address(address) => (format!("cost/address/{address}"), stranger),
            Whose::Nobody => ("cost/nobody".to_owned(), stranger),
        };
        let Some(rule) = rule else { return Ok(None) };
        self.take(&bucket, points, rule).await.map(Some)
    }

    /// Takes tries to get in.
    pub async fn attempt(&self, address: Option<IpAddr>, tries: u64) -> Result<(), Refused> {
        let Some(rule) = self.allowances.attempts.filter(|_| tries > 0) else { return Ok(()) };
        let bucket = match address {
            Some(address) => format!("attempts/address/{address}"),
            None => "attempts/nobody".to_owned(),
        };
        self.take(&bucket, tries, rule).await.map(drop)
    }

    async fn take(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Charge, Refused> {
        let Spent { granted, left, wait } = self.spend(bucket, points, rule).await;
        #[expect(clippy::cast_precision_loss, reason = "points stay far below 2^52")]
        let full_in = rule.capacity.saturating_sub(left) as f64 / rule.per_second;
        let full_in = Duration::try_from_secs_f64(full_in).unwrap_or(Duration::MAX);
        let charge = Charge { requested: points, limit: rule.capacity, left, full_in };
        if granted {
            return Ok(charge);
        }
        Err(Refused { charge, wait: (wait < Duration::MAX).then_some(wait) })
    }

    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Spent {
        let lost = self.lost_at.lock().is_some_and(|at| at.elapsed() < LOST_FOR);
        if !lost {
            match timeout(PATIENCE, self.shared.spend(bucket, points, rule)).await {
                Ok(Ok(spent)) => {
                    if self.lost_at.lock().take().is_some() {
                        tracing::info!("budgets are shared with the other replicas again");
                    }
                    return spent;
                }
                Ok(Err(lost)) => self.lose(&lost),
                Err(_) => self.lose(&"it did not answer in time"),
            }
        }
        let full = Spent { granted: true, left: rule.capacity, wait: Duration::ZERO };
        self.own.spend(bucket, points, rule).await.unwrap_or(full)
    }

    fn lose(&self, why: &dyn std::fmt::Display) {
        if self.lost_at.lock().replace(Instant::now()).is_none() {
            tracing::warn!(error = %why, "budgets are counted by this process alone");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use bytes::Bytes;
    use moim_kit::shared::{Lost, Vote};

    use super::*;

    /// A store that hangs, or says at once that it is lost.
    #[derive(Debug, Default)]
    struct Broken {
        hangs: bool,
        asked: AtomicU32,
    }

    #[async_trait]
    impl Shared for Broken {
        async fn spend(&self, _: &str, _: u64, _: Allowance) -> Result<Spent, Lost> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.hangs {
                std::future::pending::<()>().await;
            }
            Err(Lost("nobody is there".to_owned()))
        }

        async fn vote(&self, _: Vote<'_>) -> Result<bool, Lost> {
            Ok(false)
        }

        async fn best(&self, _: &str, _: usize) -> Result<Vec<(String, f64)>, Lost> {
            Ok(Vec::new())
        }

        async fn values(&self, _: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
            Ok(Vec::new())
        }

        async fn keep(&self, _: &str, _: Bytes, _: Duration) -> Result<(), Lost> {
            Ok(())
        }

        async fn forget(&self, _: &[String]) -> Result<(), Lost> {
            Ok(())
        }
    }

    fn allowance(capacity: u64) -> Option<Allowance> {
        Some(Allowance { capacity, per_second: 1.0 })
    }

    fn allowances() -> Allowances {
        Allowances { member: allowance(100), stranger: allowance(10), attempts: allowance(2) }
    }

    fn from(address: [u8; 4]) -> Whose {
        Whose::Address(address.into())
    }

    #[tokio::test]
    async fn everybody_has_points_of_their_own() {
        let budgets = Budgets::new(Arc::new(Memory::default()), allowances());
        let somebody = Whose::Member(MemberId::fresh());
        let charge = budgets.charge(from([192, 0, 2, 1]), 7).await.unwrap().unwrap();
        assert_eq!((charge.requested, charge.limit, charge.left), (7, 10, 3));
        assert!(charge.full_in <= Duration::from_secs(7));
        let refused = budgets.charge(from([192, 0, 2, 1]), 7).await.unwrap_err();
        assert_eq!((refused.charge.requested, refused.charge.left), (7, 3));
        assert!(refused.wait.unwrap() <= Duration::from_secs(4));
        assert!(budgets.charge(from([192, 0, 2, 2]), 7).await.is_ok());
        assert_eq!(budgets.charge(somebody, 7).await.unwrap().unwrap().limit, 100);
        let never = budgets.charge(from([192, 0, 2, 3]), 11).await.unwrap_err();
        assert_eq!((never.wait, never.charge.left), (None, 10));
    }

    #[tokio::test]
    async fn tries_are_counted_apart_from_points() {
        let budgets = Budgets::new(Arc::new(Memory::default()), allowances());
        let address = Some([192, 0, 2, 1].into());
        assert_eq!(budgets.attempt(address, 0).await, Ok(()));
        assert_eq!(budgets.attempt(address, 2).await, Ok(()));
        assert_eq!(budgets.attempt(address, 0).await, Ok(()));
        assert!(budgets.attempt(address, 1).await.is_err());
        assert_eq!(budgets.attempt(None, 1).await, Ok(()));
        assert!(budgets.charge(from([192, 0, 2, 1]), 10).await.is_ok());
    }

    #[tokio::test]
    async fn where_there_is_no_end_of_points_nothing_is_told() {
        let budgets = Budgets::new(Arc::new(Memory::default()), Allowances::default());
        for _ in 0..3 {
            assert_eq!(budgets.charge(Whose::Nobody, u64::MAX).await, Ok(None));
            assert_eq!(budgets.attempt(None, u64::MAX).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_lost_store_is_counted_without_and_asked_only_now_and_then() {
        for hangs in [false, true] {
            let broken = Arc::new(Broken { hangs, ..Broken::default() });
            let budgets = Budgets::new(broken.clone(), allowances());
            for _ in 0..10 {
                assert!(budgets.charge(from([192, 0, 2, 1]), 1).await.is_ok());
            }
            assert!(budgets.charge(from([192, 0, 2, 1]), 9).await.is_err(), "still counted");
            let asked = broken.asked.load(Ordering::SeqCst);
            assert!((1..5).contains(&asked), "asked {asked} times");
        }
    }
}
