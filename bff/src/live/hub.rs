//! The topics of one room that somebody follows, and who counts among their readers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use moim_kit::metrics;
use moim_kit::task::Tasks;
use moim_kit::wire::Wire;
use moim_kit::{Code, Fault};
use moim_proto::fact::v1::FollowResponse;
use moim_proto::fact::v1::live_service_client::LiveServiceClient;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::follow::follow;
use super::source::Source;
use super::topic::Topic;

/// For a room to begin to send a topic.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(5);
/// Facts are small; a batch of many must still fit.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// One room as it is followed; clones share its one stream.
pub(super) struct Hub<S: Source> {
    shared: Arc<Shared<S>>,
}

impl<S: Source> Clone for Hub<S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

pub(super) struct Shared<S: Source> {
    pub source: S,
    pub client: LiveServiceClient<Wire>,
    pub secret: Arc<str>,
    state: Mutex<State<S::Row>>,
    /// Told when there is something in `changed`.
    pub changes: Notify,
    /// Counts the outages that were long enough for rights to have been lost unnoticed.
    pub outages: watch::Sender<u64>,
}

struct State<R> {
    topics: HashMap<Uuid, Entry<R>>,
    /// Topics that came or went since the stream was last told.
    changed: HashSet<Uuid>,
    /// Topics the room sends on the stream that stands.
    sent: HashSet<Uuid>,
    /// How far the room's log was read; `None` while nobody follows it.
    position: Option<i64>,
}

struct Entry<R> {
    topic: Arc<Topic<R>>,
    readers: usize,
}

/// A reader's place at a topic; the last to leave takes the topic along.
pub(super) struct Seat<S: Source> {
    shared: Arc<Shared<S>>,
    id: Uuid,
    pub topic: Arc<Topic<S::Row>>,
}

impl<S: Source> Hub<S> {
    pub(super) fn new(source: S, wire: Wire, secret: Arc<str>, tasks: &Tasks) -> Self {
        let client = LiveServiceClient::new(wire).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let state = State {
            topics: HashMap::new(),
            changed: HashSet::new(),
            sent: HashSet::new(),
            position: None,
        };
        let shared = Arc::new(Shared {
            source,
            client,
            secret,
            state: Mutex::new(state),
            changes: Notify::new(),
            outages: watch::Sender::new(0),
        });
        if let Some(catalogue) = metrics::catalogue() {
            let room = [metrics::room(S::NAME)];
            catalogue.live_topics.watch(&shared, &room, Shared::topics);
            catalogue.live_viewers.watch(&shared, &room, Shared::viewers);
        }
        let following = shared.clone();
        tasks.supervise("live follow", move || follow(following.clone()));
        Self { shared }
    }

    pub(super) fn shared(&self) -> &Arc<Shared<S>> {
        &self.shared
    }

    pub(super) fn topics(&self) -> usize {
        self.shared.topics()
    }

    /// A place at a topic, once the room sends it.
    pub(super) async fn sit_down(&self, id: Uuid) -> Result<Seat<S>, Fault> {
        let seat = self.shared.clone().seat(id);
        timeout(FOLLOWED_WITHIN, seat.topic.followed()).await.map_err(|_| {
            Fault::new(Code::Unavailable, "LIVE_UNAVAILABLE", "Live updates are not available now.")
                .in_korean("지금은 실시간 소식을 받을 수 없습니다.")
        })?;
        Ok(seat)
    }
}

impl<S: Source> Shared<S> {
    fn topics(&self) -> usize {
        self.state.lock().topics.len()
    }

    fn viewers(&self) -> usize {
        self.state.lock().topics.values().map(|entry| entry.readers).sum()
    }

    fn seat(self: Arc<Self>, id: Uuid) -> Seat<S> {
        let mut state = self.state.lock();
        let sent = state.sent.contains(&id);
        let mut is_new = false;
        let entry = state.topics.entry(id).or_insert_with(|| {
            is_new = true;
            Entry { topic: Arc::new(Topic::new(sent)), readers: 0 }
        });
        entry.readers += 1;
        let topic = entry.topic.clone();
        if is_new {
            state.changed.insert(id);
        }
        drop(state);
        if is_new {
            self.changes.notify_one();
        }
        Seat { shared: self, id, topic }
    }

    /// Where to go on, and all topics, for a stream that begins.
    pub(super) fn begin(&self) -> (Option<i64>, Vec<Uuid>) {
        let mut state = self.state.lock();
        state.changed.clear();
        state.sent.clear();
        if state.topics.is_empty() {
            state.position = None;
        }
        (state.position, state.topics.keys().copied().collect())
    }

    /// What came and went since it was last asked; nothing at all is left when the third is true.
    pub(super) fn take_changes(&self, asked: &mut HashSet<Uuid>) -> (Vec<Uuid>, Vec<Uuid>, bool) {
        let mut state = self.state.lock();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut state.changed) {
            if state.topics.contains_key(&id) {
                if asked.insert(id) {
                    added.push(id);
                }
            } else if asked.remove(&id) {
                state.sent.remove(&id);
                removed.push(id);
            }
        }
        (added, removed, state.topics.is_empty())
    }

    /// Hands what a room sent to the topics it belongs to.
    pub(super) fn take_in(&self, response: FollowResponse) {
        let mut state = self.state.lock();
        for entry in response.entries {
            let Some(fact) = entry.fact else { continue };
            let Ok(id) = fact.topic.parse::<Uuid>() else { continue };
            let Some(followed) = state.topics.get(&id) else { continue };
            match S::read(&fact) {
                Ok(Some(event)) => followed.topic.push(Arc::new(event)),
                Ok(None) => {}
                // Its readers find the gap and ask the room itself.
                Err(error) => tracing::error!(%error, fact = fact.id, "a live event is unreadable"),
            }
        }
        for id in response.added_topics.iter().filter_map(|id| id.parse().ok()) {
            if let Some(followed) = state.topics.get(&id) {
                followed.topic.follow();
                state.sent.insert(id);
            }
        }
        state.position = state.position.max(Some(response.position));
    }
}

impl<S: Source> Drop for Seat<S> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        let Some(entry) = state.topics.get_mut(&self.id) else { return };
        entry.readers -= 1;
        if entry.readers == 0 {
            state.topics.remove(&self.id);
            state.changed.insert(self.id);
            drop(state);
            self.shared.changes.notify_one();
        }
    }
}
