//! NATS JetStream: the connection, the two streams of a room, and the log that is heard over them.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::stream::{self as deliveries, StreamFeed};
use super::{Consumer, Digest, Entry, Fact, Feed, Kind, Log, Seal};
use crate::fault::{Code, Fault};

/// Events stay on the broker for so long; states stay until a newer one takes their place.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// A message told twice within this time is kept once.
const DUPLICATES_KNOWN: Duration = Duration::from_secs(120);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How rooms hear each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `nats://user:password@host:port`, several with commas between; empty: rooms read each other's outbox.
    pub url: String,
    /// What was delivered and not settled for so long comes again, milliseconds.
    pub redeliver_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: String::new(), redeliver_ms: 30_000 }
    }
}

/// A connection to the broker, which it finds again by itself.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    context: Context,
    seal: Seal,
    redeliver: Duration,
}

/// Anything that went wrong between here and the broker.
pub(super) fn lost(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::unavailable("BUS_UNAVAILABLE", error)
}

impl Bus {
    /// Connects in the background, for as long as it takes; only an address that makes no sense fails.
    pub async fn open(config: &Config, secret: &str) -> Result<Self, Fault> {
        let wrong = |error: String| {
            Fault::new(Code::Invalid, "CONFIG_INVALID", "bus.url must begin with nats://")
                .because(error)
        };
        let mut servers = Vec::new();
        for url in config.url.split(',').map(str::trim) {
            let server: async_nats::ServerAddr =
                url.parse().map_err(|error: std::io::Error| wrong(error.to_string()))?;
            servers.push(server);
        }
        let client = ConnectOptions::new()
            .name("moim")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tries| {
                Duration::from_millis(
                    u64::try_from(tries.saturating_mul(50)).unwrap_or(1_000).min(1_000),
                )
            })
            .request_timeout(Some(ANSWER_WITHIN))
            .event_callback(|event| async move { tracing::debug!(%event, "bus") })
            .connect(servers)
            .await
            .map_err(|error| wrong(error.to_string()))?;
        let context = jetstream::context::ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .build(client.clone());
        let redeliver = Duration::from_millis(config.redeliver_ms.max(1));
        Ok(Self { client, context, seal: Seal::new(secret), redeliver })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// When what is not settled comes again.
    pub(super) fn redeliver(&self) -> Duration {
        self.redeliver
    }

    pub(super) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The stream of what a room tells of one kind, made when it is not there.
    pub(super) async fn stream(
        &self,
        room: &str,
        nouns: &[&str],
        kind: Kind,
    ) -> Result<stream::Stream, Fault> {
        let word = kind.word();
        let config = stream::Config {
            name: format!("moim-{room}-{word}"),
            subjects: nouns.iter().map(|noun| format!("moim.{noun}.v1.{word}.*")).collect(),
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            max_messages_per_subject: if kind == Kind::State { 1 } else { -1 },
            max_age: if kind == Kind::State { Duration::ZERO } else { EVENTS_KEPT },
            duplicate_window: DUPLICATES_KNOWN,
            ..stream::Config::default()
        };
        let stream = self.context.get_or_create_stream(config.clone()).await.map_err(lost)?;
        // A room that tells more than it used to needs more subjects.
        if stream.cached_info().config.subjects != config.subjects {
            self.context.update_stream(config).await.map_err(lost)?;
        }
        Ok(stream)
    }

    /// Leaves once everything handed to it was sent.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.flush()).await;
    }
}

/// A room's log whose facts come over the broker; its owner is asked for everything else.
pub struct HeardLog {
    bus: Bus,
    room: &'static str,
    nouns: &'static [&'static str],
    owner: Arc<dyn Log>,
}

impl HeardLog {
    /// What a room tells of these nouns.
    pub fn new(
        bus: Bus,
        room: &'static str,
        nouns: &'static [&'static str],
        owner: Arc<dyn Log>,
    ) -> Self {
        Self { bus, room, nouns, owner }
    }
}

#[async_trait]
impl Log for HeardLog {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.owner.read(position, limit).await
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        self.owner.wait(position, at_most).await
    }

    async fn feed(&self, consumer: &Consumer) -> Result<Option<Box<dyn Feed>>, Fault> {
        let feed = StreamFeed::open(self.bus.clone(), self.room, self.nouns, consumer).await?;
        Ok(Some(Box::new(feed)))
    }

    async fn digest(&self, noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
        self.owner.digest(noun).await
    }

    async fn lag(&self, consumer: &Consumer, _: i64) -> Result<Option<u64>, Fault> {
        deliveries::pending(&self.bus, self.room, self.nouns, consumer.name()).await.map(Some)
    }

    async fn states(
        &self,
        noun: &str,
        bucket: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Fact>, Fault> {
        self.owner.states(noun, bucket, after, limit).await
    }
}
