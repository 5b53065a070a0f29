//! What Redis tells by itself, on a connection of its own: values that changed, and sessions that were revoked.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind,
    RedisError, Value,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::near::Held;
use super::super::{BadUrl, NEAR};
use super::bulletin::{CHANNEL, Revocation, hear};
use super::value_key;

type Heard = Box<dyn Fn(Revocation) + Send + Sync>;

/// For Redis to answer; it is nobody's request.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Listener {
    client: Client,
    held: Arc<Held>,
    heard: Arc<OnceLock<Heard>>,
}

impl Listener {
    pub fn try_new(
        url: &str,
        held: Arc<Held>,
        heard: Arc<OnceLock<Heard>>,
    ) -> Result<Self, BadUrl> {
        let bad = |error: RedisError| BadUrl(error.to_string());
        let info = url.into_connection_info().map_err(bad)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings)).map_err(bad)?;
        Ok(Self { client, held, heard })
    }

    /// Listens for as long as it is polled.
    pub async fn keep(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let epoch = self.held.next_epoch();
            if self.listen(epoch).await.is_ok() {
                pause = FIRST_PAUSE;
            }
            self.held.lose(epoch);
            sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Listens until the connection ends; fails when there was none.
    async fn listen(&self, epoch: u64) -> Result<(), String> {
        let ended = CancellationToken::new();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_push_sender(self.receiver(epoch, ended.clone()));
        let connect = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let mut tracking = redis::cmd("CLIENT");
            tracking.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(value_key(NEAR));
            tracking.exec_async(&mut connection).await?;
            connection.subscribe(CHANNEL).await?;
            Ok::<_, RedisError>(connection)
        };
        let connected = timeout(PATIENCE, connect).await;
        let mut connection =
            connected.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        // From here on every change is told, so what is read may be held.
        self.held.follow(epoch);
        while ended.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            let ping = redis::cmd("PING");
            let answer = timeout(PATIENCE, ping.exec_async(&mut connection)).await;
            if !answer.is_ok_and(|answer| answer.is_ok()) {
                break;
            }
        }
        Ok(())
    }

    /// Called on the connection's own task, in the order in which Redis speaks.
    fn receiver(
        &self,
        epoch: u64,
        ended: CancellationToken,
    ) -> impl Fn(PushInfo) -> Result<(), RedisError> + Send + Sync + 'static {
        let (held, heard) = (self.held.clone(), self.heard.clone());
        move |push| {
            match push.kind {
                PushKind::Invalidate => match push.data.first() {
                    Some(Value::Array(keys)) => keys.iter().for_each(|key| {
                        if let Value::BulkString(key) = key {
                            held.invalidate(changed(key));
                        }
                    }),
                    // Everything was taken away.
                    _ => held.renew(epoch),
                },
                PushKind::Message => {
                    if let Some(Value::BulkString(message)) = push.data.get(1) {
                        hear(&heard, message);
                    }
                }
                PushKind::Disconnection => {
                    held.lose(epoch);
                    ended.cancel();
                }
                _ => {}
            }
            Ok(())
        }
    }
}

/// The key of a value, as its callers name it.
fn changed(key: &[u8]) -> &str {
    let key = std::str::from_utf8(key).unwrap_or_default();
    key.strip_prefix(&value_key(NEAR)).unwrap_or_default()
}
