//! The deliveries of a room's two streams to one consumer.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

use super::jetstream::{Bus, lost};
use super::publish::SIGNATURE;
use super::{Consumer, Delivery, Feed, Kind, Seal};
use crate::fault::Fault;

/// Most messages out at once; bounds what a slow consumer holds.
const MOST_OUT: usize = 2_000;
const PREFETCHED: usize = 500;
/// A consumer that hears nothing looks so often whether it is still known to the broker.
const HEARTBEAT: Duration = Duration::from_secs(2);
const ASKED_FOR: Duration = Duration::from_secs(30);

struct Source {
    messages: pull::Stream,
}

impl Source {
    async fn open(
        bus: &Bus,
        room: &str,
        nouns: &[&str],
        kind: Kind,
        consumer: &Consumer,
    ) -> Result<Self, Fault> {
        let stream = bus.stream(room, nouns, kind).await?;
        let config = pull::Config {
            durable_name: Some(consumer.name().to_owned()),
            ack_policy: AckPolicy::Explicit,
            deliver_policy: DeliverPolicy::All,
            ack_wait: bus.redeliver(),
            max_deliver: -1,
            inactive_threshold: consumer.forgotten_after().unwrap_or_default(),
            max_ack_pending: i64::try_from(MOST_OUT).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer =
            stream.get_or_create_consumer(consumer.name(), config).await.map_err(lost)?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PREFETCHED)
            .heartbeat(HEARTBEAT)
            .expires(ASKED_FOR)
            .messages()
            .await
            .map_err(lost)?;
        Ok(Self { messages })
    }
}

/// States and events of one room, as they come to another.
pub(super) struct StreamFeed {
    client: Client,
    seal: Seal,
    nouns: &'static [&'static str],
    states: Source,
    events: Source,
}

impl StreamFeed {
    pub(super) async fn open(
        bus: Bus,
        room: &str,
        nouns: &'static [&'static str],
        consumer: &Consumer,
    ) -> Result<Self, Fault> {
        let states = Source::open(&bus, room, nouns, Kind::State, consumer).await?;
        let events = Source::open(&bus, room, nouns, Kind::Event, consumer).await?;
        let (client, seal) = (bus.client().clone(), bus.seal().clone());
        Ok(Self { client, seal, nouns, states, events })
    }

    fn delivery(&self, message: Message) -> Delivery {
        let subject = message.subject.to_string();
        let signature = message.headers.as_ref().and_then(|it| it.get(SIGNATURE));
        let signature = signature.map(|value| value.as_str());
        let opened = self.seal.open(&subject, &message.payload, signature, self.nouns);
        let content = opened.map_err(|refusal| (refusal, message.payload.clone()));
        let receipt = message.message.reply.unwrap_or_else(|| "".into());
        Delivery { subject, content, receipt }
    }
}

type Next = Option<Result<Message, pull::MessagesError>>;

fn arrived(next: Next) -> Result<Message, Fault> {
    match next {
        Some(message) => message.map_err(lost),
        None => Err(lost("the consumer's stream of messages ended")),
    }
}

#[async_trait]
impl Feed for StreamFeed {
    async fn next(&mut self, limit: usize, at_most: Duration) -> Result<Vec<Delivery>, Fault> {
        let first = async {
            tokio::select! {
                biased;
                state = self.states.messages.next() => state,
                event = self.events.messages.next() => event,
            }
        };
        let Ok(first) = timeout(at_most, first).await else { return Ok(Vec::new()) };
        let mut messages = vec![arrived(first)?];
        // States first: events about aggregates that are copied wait for theirs.
        for source in [&mut self.states, &mut self.events] {
            while messages.len() < limit
                && let Some(next) = source.messages.next().now_or_never()
            {
                // What arrived before something broke is taken in; whoever comes again meets the break.
                let Ok(message) = arrived(next) else { break };
                messages.push(message);
            }
        }
        Ok(messages.into_iter().map(|message| self.delivery(message)).collect())
    }

    async fn settle(&mut self, deliveries: &[Delivery]) -> Result<(), Fault> {
        for delivery in deliveries.iter().filter(|it| !it.receipt.is_empty()) {
            self.client.publish(delivery.receipt.clone(), "+ACK".into()).await.map_err(lost)?;
        }
        Ok(())
    }
}

/// How many facts of a room are still to come to a consumer, or out and not settled.
pub(super) async fn pending(
    bus: &Bus,
    room: &str,
    nouns: &[&str],
    consumer: &str,
) -> Result<u64, Fault> {
    let mut pending = 0;
    for kind in [Kind::State, Kind::Event] {
        let stream = bus.stream(room, nouns, kind).await?;
        let info = stream.consumer_info(consumer).await.map_err(lost)?;
        pending += info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or_default();
    }
    Ok(pending)
}
