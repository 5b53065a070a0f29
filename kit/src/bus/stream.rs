//! The deliveries of a room's two streams to one consumer.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::{Client, Message, StatusCode, Subject, Subscriber};
use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::jetstream::{Bus, lost};
use super::publish::SIGNATURE;
use super::{Consumer, Delivery, Feed, Kind, Seal};
use crate::fault::Fault;

/// Most messages out at once; bounds what a slow consumer holds.
const MOST_OUT: usize = 2_000;
const PREFETCHED: usize = 500;
/// What is asked for is asked for only so long, since it cannot be taken back: whoever stops waits for its end.
const ASKED_FOR: Duration = Duration::from_secs(2);
/// A broker that does not say that this time is over has forgotten who asked, or is gone.
const SILENCE: Duration = Duration::from_secs(4);

struct Source {
    client: Client,
    /// Where the consumer is asked.
    at: String,
    /// Where its messages come.
    inbox: Subject,
    messages: Subscriber,
    /// How many may still come of what was asked for, and when its end must have been told.
    left: usize,
    due: Instant,
    finishing: bool,
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
        stream.get_or_create_consumer(consumer.name(), config).await.map_err(lost)?;
        let client = bus.client().clone();
        let inbox = Subject::from(client.new_inbox());
        let messages = client.subscribe(inbox.clone()).await.map_err(lost)?;
        let name = &stream.cached_info().config.name;
        let at = format!("$JS.API.CONSUMER.MSG.NEXT.{name}.{}", consumer.name());
        let (left, due) = (0, Instant::now());
        Ok(Self { client, at, inbox, messages, left, due, finishing: false })
    }

    /// The next message; `None` once all came that was asked for last. May be dropped at any time.
    async fn next(&mut self) -> Option<Result<Message, Fault>> {
        loop {
            if self.left == 0 {
                if self.finishing {
                    return None;
                }
                if let Err(error) = self.ask().await {
                    return Some(Err(error));
                }
            }
            let Ok(next) = timeout_at(self.due, self.messages.next()).await else {
                return Some(Err(lost("the broker does not say that it has no more")));
            };
            let Some(message) = next else {
                return Some(Err(lost("the connection to the broker was closed")));
            };
            match message.status {
                None | Some(StatusCode::OK) => {
                    self.left -= 1;
                    return Some(Ok(message));
                }
                Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => self.left = 0,
                Some(StatusCode::IDLE_HEARTBEAT) => {}
                Some(other) => {
                    let why = message.description.unwrap_or_default();
                    return Some(Err(lost(format!("the broker answers {other} {why}"))));
                }
            }
        }
    }

    async fn ask(&mut self) -> Result<(), Fault> {
        let asked = format!(r#"{{"batch":{PREFETCHED},"expires":{}}}"#, ASKED_FOR.as_nanos());
        let (at, inbox) = (self.at.clone(), self.inbox.clone());
        self.client.publish_with_reply(at, inbox, asked.into()).await.map_err(lost)?;
        (self.left, self.due) = (PREFETCHED, Instant::now() + SILENCE);
        Ok(())
    }
}

/// States and events of one room, as they come to another.
pub(super) struct StreamFeed {
    client: Client,
    seal: Seal,
    nouns: &'static [&'static str],
    states: Source,
    events: Source,
    /// Taken and not settled.
    out: Vec<Subject>,
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
        Ok(Self { client, seal, nouns, states, events, out: Vec::new() })
    }

    fn delivery(&self, message: Message) -> Delivery {
        let subject = message.subject.to_string();
        let signature = message.headers.as_ref().and_then(|it| it.get(SIGNATURE));
        let signature = signature.map(|value| value.as_str());
        let opened = self.seal.open(&subject, &message.payload, signature, self.nouns);
        let content = opened.map_err(|refusal| (refusal, message.payload.clone()));
        let receipt = message.reply.unwrap_or_else(|| "".into());
        Delivery { subject, content, receipt }
    }
}

#[async_trait]
impl Feed for StreamFeed {
    async fn next(&mut self, limit: usize, at_most: Duration) -> Result<Vec<Delivery>, Fault> {
        let Self { states, events, .. } = self;
        let first = async {
            tokio::select! {
                biased;
                Some(state) = states.next() => Some(state),
                Some(event) = events.next() => Some(event),
                else => None,
            }
        };
        let Ok(Some(first)) = timeout(at_most, first).await else { return Ok(Vec::new()) };
        let mut messages = vec![first?];
        // States first: events about aggregates that are copied wait for theirs.
        for source in [states, events] {
            while messages.len() < limit
                && let Some(Some(next)) = source.next().now_or_never()
            {
                // What arrived before something broke is taken in; whoever comes again meets the break.
                let Ok(message) = next else { break };
                messages.push(message);
            }
        }
        let deliveries: Vec<_> =
            messages.into_iter().map(|message| self.delivery(message)).collect();
        self.out.extend(deliveries.iter().map(|it| it.receipt.clone()));
        Ok(deliveries)
    }

    async fn settle(&mut self, deliveries: &[Delivery]) -> Result<(), Fault> {
        for delivery in deliveries.iter().filter(|it| !it.receipt.is_empty()) {
            self.client.publish(delivery.receipt.clone(), "+ACK".into()).await.map_err(lost)?;
        }
        self.out.retain(|receipt| deliveries.iter().all(|it| it.receipt != *receipt));
        Ok(())
    }

    fn finish(&mut self) {
        self.states.finishing = true;
        self.events.finishing = true;
    }

    async fn give_back(&mut self) {
        for receipt in self.out.drain(..).filter(|receipt| !receipt.is_empty()) {
            let _ = self.client.publish(receipt, "-NAK".into()).await;
        }
        let _ = timeout(SILENCE, self.client.flush()).await;
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
