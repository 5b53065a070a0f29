//! What replicas share in Redis: every wait is short, every key has a time to live and begins with `moim:`.

mod bulletin;
mod link;
mod listener;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Script, cmd};
use tokio::time::{sleep, timeout};

pub use self::bulletin::{Bulletin, Revocation};
use self::link::Link;
use self::listener::Listener;
use super::near::{Held, Near};
use super::{
    Allowance, BOARD_LIFE, BUCKET_LIFE, BadUrl, Lost, MOST_VOTERS, Memory, Shared, Spent,
    VALUE_LIFE, Vote, ballot,
};
use crate::task::Tasks;

/// For a Redis that is there to be found at the start.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);

static SPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("spend.lua")));
static VOTE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("vote.lua")));

/// In Redis.
pub struct Redis {
    link: Arc<Link>,
    /// Budgets of this process alone while Redis is away.
    alone: Memory,
    held: Arc<Held>,
    bulletin: Bulletin,
}

impl Redis {
    /// Reaches for a Redis for as long as the tasks run, and answers without it until it is there.
    pub async fn open(url: &str, tasks: &Tasks) -> Result<Self, BadUrl> {
        Self::open_holding(url, tasks, Arc::default()).await
    }

    pub(super) async fn open_holding(
        url: &str,
        tasks: &Tasks,
        held: Arc<Held>,
    ) -> Result<Self, BadUrl> {
        let link = Arc::new(Link::try_new(url)?);
        let heard = Arc::new(OnceLock::new());
        let listener = Arc::new(Listener::try_new(url, held.clone(), heard.clone())?);
        let kept = link.clone();
        tasks.supervise("redis", move || kept.clone().keep());
        tasks.supervise("redis listener", move || listener.clone().keep());
        let there = async {
            while !link.is_up() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(FIRST_PATIENCE, there).await;
        let bulletin = Bulletin::new(link.clone(), heard);
        Ok(Self { link, alone: Memory::default(), held, bulletin })
    }

    /// Its values held near.
    pub fn near(self: &Arc<Self>) -> Near {
        Near::over_redis(self.clone(), self.held.clone())
    }

    /// Where revoked sessions are told.
    pub fn bulletin(&self) -> Bulletin {
        self.bulletin.clone()
    }

    /// Whether calls go to Redis now, and do not fail at once.
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// Calls that waited in vain for as long as any may.
    pub fn waits(&self) -> u64 {
        self.link.waits()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("link", &self.link).finish_non_exhaustive()
    }
}

#[async_trait]
impl Shared for Redis {
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost> {
        let mut script = SPEND.key(format!("moim:bucket:{bucket}"));
        script.arg(rule.capacity).arg(rule.per_second).arg(points).arg(ms(BUCKET_LIFE));
        let spent = self.link.call(|mut redis, _| async move {
            script.invoke_async::<(bool, f64)>(&mut redis).await
        });
        match spent.await {
            Ok((granted, left)) => Ok(Spent::of(granted, left, points, rule)),
            Err(_) => self.alone.spend(bucket, points, rule).await,
        }
    }

    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost> {
        let mut script = VOTE.key(board_key(vote.board));
        script
            .key(format!("moim:voters:{}:{}", vote.window, vote.board))
            .arg(vote.entry)
            .arg(&ballot(&vote)[..])
            .arg(format!("{:e}", -vote.weight))
            .arg(vote.most_entries)
            .arg(MOST_VOTERS)
            .arg(ms(vote.window_ends_in.min(BOARD_LIFE)))
            .arg(ms(BOARD_LIFE));
        self.link.call(|mut redis, _| async move { script.invoke_async(&mut redis).await }).await
    }

    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost> {
        let Some(last) = count.checked_sub(1) else { return Ok(Vec::new()) };
        let mut range = cmd("ZRANGE");
        range.arg(board_key(board)).arg(0).arg(last).arg("WITHSCORES");
        let ranked = self.link.call(|mut redis, _| async move {
            range.query_async::<Vec<(String, f64)>>(&mut redis).await
        });
        Ok(ranked.await?.into_iter().map(|(entry, score)| (entry, 0.0 - score)).collect())
    }

    async fn values(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Lost> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = cmd("MGET");
        get.arg(value_keys(keys));
        let values = self.link.call(|mut redis, _| async move {
            get.query_async::<Vec<Option<Vec<u8>>>>(&mut redis).await
        });
        Ok(values.await?.into_iter().map(|value| value.map(Bytes::from)).collect())
    }

    async fn keep(&self, key: &str, value: Bytes, time: Duration) -> Result<(), Lost> {
        let mut set = cmd("SET");
        set.arg(value_key(key)).arg(&value[..]).arg("PX").arg(ms(time.min(VALUE_LIFE)));
        self.link.call(|mut redis, _| async move { set.query_async(&mut redis).await }).await
    }

    async fn forget(&self, keys: &[String]) -> Result<(), Lost> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut unlink = cmd("UNLINK");
        unlink.arg(value_keys(keys));
        self.link.call(|mut redis, _| async move { unlink.query_async(&mut redis).await }).await
    }
}

fn board_key(board: &str) -> String {
    format!("moim:board:{board}")
}

fn value_key(key: &str) -> String {
    format!("moim:value:{key}")
}

fn value_keys(keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| value_key(key)).collect()
}

fn ms_or_none(span: Duration) -> u64 {
    if span.is_zero() { 0 } else { ms(span) }
}

/// Whole milliseconds, at least one: Redis refuses to keep anything for none.
fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}
