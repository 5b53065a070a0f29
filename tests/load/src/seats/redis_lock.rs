//! A lock in Redis around reading and writing: taken with a token and an end, given back by whoever holds it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{Client, Script};
use uuid::Uuid;

use super::ground::Database;
use super::in_database::{backoff, unguarded};
use super::{Claimed, Strategy};

/// Deletes the lock only while it is still the holder's own.
const GIVE_BACK: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";
/// Every so many holders pause, when any do.
const PAUSE_EVERY: u64 = 10;

/// How long the lock is somebody's, and how long some of them stop in the middle, as a stopped machine does.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub lasts: Duration,
    pub pause: Option<Duration>,
}

/// Protects by the lock alone.
pub struct RedisLock {
    redis: MultiplexedConnection,
    give_back: Script,
    database: Database,
    lease: Lease,
    holders: AtomicU64,
}

impl RedisLock {
    pub async fn open(url: String, database: Database, lease: Lease) -> anyhow::Result<Self> {
        let redis = Client::open(url)?.get_multiplexed_async_connection().await?;
        let give_back = Script::new(GIVE_BACK);
        Ok(Self { redis, give_back, database, lease, holders: AtomicU64::new(0) })
    }

    async fn take(&self, key: &str, token: &str) -> anyhow::Result<bool> {
        let lasts = u64::try_from(self.lease.lasts.as_millis())?;
        let mut take = redis::cmd("SET");
        take.arg(key).arg(token).arg("NX").arg("PX").arg(lasts);
        let taken: Option<String> = take.query_async(&mut self.redis.clone()).await?;
        Ok(taken.is_some())
    }
}

#[async_trait]
impl Strategy for RedisLock {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed> {
        let (key, token) =
            (format!("seats:{}", self.database.schedule), Uuid::new_v4().to_string());
        let mut retries = 0;
        while !self.take(&key, &token).await? {
            backoff(retries).await;
            retries += 1;
        }
        let number = self.holders.fetch_add(1, Ordering::Relaxed);
        let pause = self.lease.pause.filter(|_| number.is_multiple_of(PAUSE_EVERY));
        let decision = unguarded(&self.database, member, pause).await;
        // That it had ended meanwhile is learnt too late: the seat is written.
        let mut redis = self.redis.clone();
        self.give_back.key(&key).arg(&token).invoke_async::<i64>(&mut redis).await?;
        Ok(Claimed { decision: decision?, retries })
    }
}
