//! The one connection for all calls of a process: short waits, and none at all for a Redis that is away.
//!
//! Whoever finds Redis silent takes the connection away, which releases everybody else who waits on it; from then
//! on calls fail at once. Only the keeper, a task of its own, tries to reach it again.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::{BadUrl, Lost};
use crate::metrics;

/// Longest wait of a call.
const PATIENCE: Duration = Duration::from_millis(50);
/// For the keeper to reach Redis; it is nobody's request.
const KEEPER_PATIENCE: Duration = Duration::from_secs(1);
/// Between looks at a Redis that nobody asks anything.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Before Redis is tried again; doubles up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection that is there or is not.
pub(in crate::shared) struct Link {
    client: Client,
    live: ArcSwapOption<Live>,
    waits: AtomicU64,
}

struct Live {
    connection: MultiplexedConnection,
    run: Arc<str>,
    /// Cancelled once Redis failed somebody.
    gone: CancellationToken,
}

impl Link {
    /// Not connected yet.
    pub fn try_new(url: &str) -> Result<Self, BadUrl> {
        let client = Client::open(url).map_err(|error| BadUrl(error.to_string()))?;
        Ok(Self { client, live: ArcSwapOption::empty(), waits: AtomicU64::new(0) })
    }

    /// Does something with the connection, if there is one, and not for long.
    pub async fn call<T, F>(
        &self,
        work: impl FnOnce(MultiplexedConnection, Arc<str>) -> F,
    ) -> Result<T, Lost>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let lost = |why: &str| {
            if let Some(catalogue) = metrics::catalogue() {
                catalogue.shared_lost.add(1, &[]);
            }
            Err(Lost(why.to_owned()))
        };
        let Some(live) = self.live.load_full() else { return lost("Redis is away") };
        let work = timeout(PATIENCE, work(live.connection.clone(), live.run.clone()));
        let answer = tokio::select! {
            biased;
            answer = work => answer,
            () = live.gone.cancelled() => return lost("Redis went away"),
        };
        match answer {
            Ok(Ok(value)) => Ok(value),
            // It lives, though it does not do what is asked: no room left, only a replica, or loading.
            Ok(Err(error)) if error.code().is_some() => lost(&error.to_string()),
            Ok(Err(error)) => {
                live.gone.cancel();
                lost(&error.to_string())
            }
            Err(_) => {
                self.waits.fetch_add(1, Ordering::Relaxed);
                live.gone.cancel();
                lost("Redis is silent")
            }
        }
    }

    /// Whether calls go to Redis now.
    pub fn is_up(&self) -> bool {
        self.live.load().as_ref().is_some_and(|live| !live.gone.is_cancelled())
    }

    /// Calls that waited in vain for as long as any may.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// Keeps Redis within reach for as long as it is polled.
    pub async fn keep(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        loop {
            match self.connect().await {
                Ok(live) => {
                    tracing::info!("Redis is there");
                    (pause, told) = (FIRST_PAUSE, false);
                    let live = Arc::new(live);
                    self.live.store(Some(live.clone()));
                    record(1);
                    watch(&live).await;
                    self.live.store(None);
                    record(0);
                    tracing::warn!("Redis went away; going on without it");
                }
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(error, "Redis cannot be reached; going on without it");
                }
                Err(_) => {}
            }
            sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect(&self) -> Result<Live, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(KEEPER_PATIENCE))
            .set_response_timeout(None);
        let connect = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&config).await?;
            redis::cmd("PING").exec_async(&mut connection).await?;
            let run = run(&mut connection).await;
            Ok::<_, RedisError>(Live { connection, run, gone: CancellationToken::new() })
        };
        match timeout(KEEPER_PATIENCE, connect).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the client, which knows the password.
        f.debug_struct("Link").field("up", &self.is_up()).finish_non_exhaustive()
    }
}

/// Returns once Redis failed somebody, or the keeper.
async fn watch(live: &Live) {
    loop {
        if live.gone.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
        let mut connection = live.connection.clone();
        let ping = redis::cmd("PING");
        let answer = timeout(KEEPER_PATIENCE, ping.exec_async(&mut connection)).await;
        if !answer.is_ok_and(|answer| answer.is_ok()) {
            live.gone.cancel();
        }
    }
}

/// Which life of which Redis this is: another after each restart and on each replica. Where that is not told,
/// every connection is another life.
async fn run(connection: &mut MultiplexedConnection) -> Arc<str> {
    let info = redis::cmd("INFO").arg("server").query_async::<String>(connection).await;
    let info = info.unwrap_or_default();
    let id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    id.map_or_else(|| format!("{:032x}", rand::random::<u128>()).into(), Arc::from)
}

fn record(up: u64) {
    if let Some(catalogue) = metrics::catalogue() {
        catalogue.shared_up.record(up, &[]);
    }
}
