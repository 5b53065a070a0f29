//! A room's log as it grows: read once for everyone who follows it, and sent by topic.
//!
//! Whoever follows reads the log itself up to its end and then takes what the one tail reads; who falls
//! behind the tail reads the log itself again. So every queue is bounded and nothing is left out.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt as _};
use moim_kit::Fault;
use moim_kit::bus::{Entry, Log};
use moim_kit::task::{Scoped, Tasks, scoped};
use moim_proto::fact::v1 as proto;
use moim_proto::fact::v1::live_service_server::{LiveService, LiveServiceServer};
use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::facts::{require_secret, to_proto};

/// Entries the tail keeps for those who follow it.
const TAIL: usize = 1_024;
const BATCH: u32 = 500;
/// Answers that wait for one follower.
const ANSWERS: usize = 8;
/// Topics of one follower.
const TOPICS: usize = 200_000;
const WAIT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(200);
/// How often a follower is told how far the log was looked through.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// The server of a room's log as it grows.
pub fn server(log: Arc<dyn Log>, secret: Arc<str>, tasks: &Tasks) -> LiveServiceServer<LiveLog> {
    let tail = Arc::new(Tail { log, tasks: tasks.clone(), sender: Mutex::default() });
    LiveServiceServer::new(LiveLog { tail, secret })
}

/// Sends a log by topic to whoever knows the secret.
pub struct LiveLog {
    tail: Arc<Tail>,
    secret: Arc<str>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<proto::FollowResponse, Status>> + Send>>;

#[async_trait]
impl LiveService for LiveLog {
    type FollowStream = Answers;

    async fn follow(
        &self,
        request: Request<Streaming<proto::FollowRequest>>,
    ) -> Result<Response<Answers>, Status> {
        require_secret(request.metadata(), &self.secret)?;
        let (answers, receiver) = mpsc::channel(ANSWERS);
        let follower = Follower {
            tail: self.tail.clone(),
            answers,
            topics: HashSet::new(),
            position: 0,
            told: 0,
        };
        let parting = self.tail.tasks.parting();
        let requests = request.into_inner();
        // Dropped, and so ended, together with the stream of answers.
        let work: Scoped<()> = scoped(async move {
            parting.run_until_cancelled(follower.run(requests)).await;
        });
        let answers = ReceiverStream::new(receiver).map(move |answer| {
            let _kept = &work;
            answer
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The one reader of a log, there while anyone follows.
struct Tail {
    log: Arc<dyn Log>,
    tasks: Tasks,
    sender: Mutex<Option<broadcast::Sender<Arc<Entry>>>>,
}

impl Tail {
    /// Everything after `position` that is not in the log yet, and perhaps some that is.
    fn subscribe(self: &Arc<Self>, position: i64) -> broadcast::Receiver<Arc<Entry>> {
        let mut sender = self.sender.lock();
        if let Some(sender) = &*sender {
            return sender.subscribe();
        }
        let (new, receiver) = broadcast::channel(TAIL);
        *sender = Some(new);
        let (tail, stopping) = (self.clone(), self.tasks.token());
        self.tasks.spawn("live tail", async move {
            let gone = Gone(tail.clone());
            stopping.run_until_cancelled(tail.run(position)).await;
            drop(gone);
        });
        receiver
    }

    async fn run(&self, mut position: i64) {
        loop {
            let read = async {
                let entries = self.log.read(position, BATCH).await?;
                if entries.is_empty() {
                    self.log.wait(position, WAIT).await?;
                }
                Ok::<_, Fault>(entries)
            };
            match read.await {
                Ok(entries) => {
                    let sender = self.sender.lock();
                    // `Gone` takes the sender away; who comes before it does finds it closed and
                    // begins anew, so there are never two tails.
                    let Some(followed) = sender.as_ref().filter(|it| it.receiver_count() > 0)
                    else {
                        return;
                    };
                    for entry in entries {
                        position = entry.position;
                        let _ = followed.send(Arc::new(entry));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a log could not be tailed; trying again");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// The position of the newest entry. A log only tells what follows a position, so it is searched
    /// for: first in growing steps, then by halves.
    async fn end(&self) -> Result<i64, Fault> {
        let (mut low, mut step) = (0, 1);
        while let Some(entry) = self.log.read(low + step - 1, 1).await?.first() {
            low = entry.position;
            step *= 2;
        }
        let mut high = low + step - 1;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.log.read(middle, 1).await?.first() {
                Some(entry) => low = entry.position,
                None => high = middle,
            }
        }
        Ok(low)
    }
}

/// However a tail ends, the next follower starts another.
struct Gone(Arc<Tail>);

impl Drop for Gone {
    fn drop(&mut self) {
        *self.0.sender.lock() = None;
    }
}

/// One who follows.
struct Follower {
    tail: Arc<Tail>,
    answers: mpsc::Sender<Result<proto::FollowResponse, Status>>,
    topics: HashSet<Uuid>,
    /// How far the log was looked through.
    position: i64,
    /// What the other end knows of that.
    told: i64,
}

/// Nobody takes the answers any more, or there was a reason to end.
struct Ended;

impl Follower {
    async fn run(mut self, mut requests: Streaming<proto::FollowRequest>) {
        let first = match requests.message().await {
            Ok(Some(first)) => first,
            _ => return,
        };
        self.position = match first.after_position {
            Some(position) => position.max(0),
            None => match self.tail.end().await {
                Ok(position) => position,
                Err(fault) => {
                    let _ = self.answers.send(Err(fault.into())).await;
                    return;
                }
            },
        };
        if self.obey(first).await.is_ok() {
            while self.follow(&mut requests).await.is_ok() {}
        }
    }

    /// Reads up to the end of the log, then takes from the tail until it falls behind.
    async fn follow(
        &mut self,
        requests: &mut Streaming<proto::FollowRequest>,
    ) -> Result<(), Ended> {
        let mut tail = self.tail.subscribe(self.position);
        loop {
            let read = self.tail.log.read(self.position, BATCH);
            let entries = tokio::select! {
                entries = read => entries,
                request = requests.message() => {
                    self.obey(request.ok().flatten().ok_or(Ended)?).await?;
                    continue;
                }
            };
            match entries {
                Ok(entries) if entries.is_empty() => break,
                Ok(entries) => self.pass(entries.into_iter().map(Arc::new).collect()).await?,
                Err(error) => {
                    tracing::warn!(%error, "a log could not be read; trying again");
                    sleep(PAUSE).await;
                }
            }
        }
        let mut progress = interval(PROGRESS_EVERY);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = requests.message() => {
                    self.obey(request.ok().flatten().ok_or(Ended)?).await?;
                }
                entry = tail.recv() => {
                    let mut entries = match entry {
                        Ok(entry) => vec![entry],
                        Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
                    };
                    while let Ok(entry) = tail.try_recv() {
                        entries.push(entry);
                    }
                    self.pass(entries).await?;
                }
                _ = progress.tick() => {
                    if self.told < self.position {
                        self.answer(vec![], vec![]).await?;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, request: proto::FollowRequest) -> Result<(), Ended> {
        for topic in request.remove_topics.iter().filter_map(|topic| topic.parse().ok()) {
            self.topics.remove(&topic);
        }
        let topics = request.add_topics.iter().filter_map(|topic| topic.parse::<Uuid>().ok());
        self.topics.extend(topics);
        if self.topics.len() > TOPICS {
            let _ = self.answers.send(Err(Status::resource_exhausted("too many topics"))).await;
            return Err(Ended);
        }
        self.answer(request.add_topics, vec![]).await
    }

    /// Sends on what is new and of a topic asked for.
    async fn pass(&mut self, entries: Vec<Arc<Entry>>) -> Result<(), Ended> {
        let mut wanted = Vec::new();
        for entry in entries {
            if entry.position <= self.position {
                continue;
            }
            self.position = entry.position;
            if entry.fact.topic.is_some_and(|topic| self.topics.contains(&topic)) {
                wanted.push(to_proto(Entry::clone(&entry)));
            }
        }
        if wanted.is_empty() { Ok(()) } else { self.answer(vec![], wanted).await }
    }

    async fn answer(
        &mut self,
        added_topics: Vec<String>,
        entries: Vec<proto::Entry>,
    ) -> Result<(), Ended> {
        self.told = self.position;
        let answer = proto::FollowResponse { position: self.position, added_topics, entries };
        self.answers.send(Ok(answer)).await.map_err(|_| Ended)
    }
}
