//! A room's log as it grows, followed over a real socket.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join;
use moim::live;
use moim_kit::bus::{Entry, Fact, Kind, Log};
use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault};
use moim_proto::fact::v1::live_service_client::LiveServiceClient;
use moim_proto::fact::v1::{FollowRequest, FollowResponse};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Status, Streaming};
use uuid::Uuid;

const SECRET: &str = "the rooms of this house";
const SOON: Duration = Duration::from_secs(20);

/// A log in memory.
#[derive(Default)]
struct Memory {
    entries: Mutex<Vec<Entry>>,
    grown: Notify,
}

impl Memory {
    fn tell(&self, topic: Uuid, times: usize) {
        let mut entries = self.entries.lock();
        for _ in 0..times {
            let position = i64::try_from(entries.len()).unwrap() + 1;
            let fact = Fact {
                id: Uuid::now_v7(),
                kind: Kind::Event,
                noun: "word".to_owned(),
                aggregate: topic,
                version: 1,
                payload: Bytes::from(vec![0; 200]),
                trace: String::new(),
                at: Clock::system().now(),
                topic: Some(topic),
            };
            entries.push(Entry { position, fact });
        }
        self.grown.notify_waiters();
    }
}

#[async_trait]
impl Log for Memory {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        let entries = self.entries.lock();
        let from = usize::try_from(position).unwrap().min(entries.len());
        Ok(entries[from..].iter().take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    async fn wait(&self, _: i64, at_most: Duration) -> Result<(), Fault> {
        let soon = at_most.min(Duration::from_millis(20));
        let _ = timeout(soon, self.grown.notified()).await;
        Ok(())
    }
}

/// The server of a log.
struct Room {
    log: Arc<Memory>,
    address: SocketAddr,
    tasks: Tasks,
}

impl Room {
    async fn open() -> Self {
        let log = Arc::new(Memory::default());
        let tasks = Tasks::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = live::server(log.clone(), SECRET.into(), &tasks);
        let serving =
            Server::builder().add_service(server).serve_with_incoming(TcpIncoming::from(listener));
        let stopping = tasks.token();
        tasks.spawn("a room", async move {
            stopping.run_until_cancelled(serving).await;
        });
        Self { log, address, tasks }
    }

    async fn follow(&self, after: Option<i64>, topics: &[Uuid]) -> Follower {
        self.follow_with(SECRET, after, topics).await.unwrap()
    }

    async fn follow_with(
        &self,
        secret: &str,
        after: Option<i64>,
        topics: &[Uuid],
    ) -> Result<Follower, Status> {
        let address = format!("http://{}", self.address);
        let mut client = LiveServiceClient::connect(address).await.unwrap();
        let (requests, receiver) = mpsc::channel(8);
        let first = FollowRequest { after_position: after, ..asked(topics, &[]) };
        requests.send(first).await.unwrap();
        let mut request = Request::new(ReceiverStream::new(receiver));
        request.metadata_mut().insert("moim-house-secret", secret.parse().unwrap());
        let responses = client.follow(request).await?.into_inner();
        let mut follower = Follower { requests, responses };
        follower.added(topics.len()).await;
        Ok(follower)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

fn asked(add: &[Uuid], remove: &[Uuid]) -> FollowRequest {
    let texts = |topics: &[Uuid]| topics.iter().map(Uuid::to_string).collect();
    FollowRequest { after_position: None, add_topics: texts(add), remove_topics: texts(remove) }
}

struct Follower {
    requests: mpsc::Sender<FollowRequest>,
    responses: Streaming<FollowResponse>,
}

impl Follower {
    async fn next(&mut self) -> FollowResponse {
        timeout(SOON, self.responses.message()).await.unwrap().unwrap().unwrap()
    }

    /// Waits until so many topics are said to be followed.
    async fn added(&mut self, count: usize) {
        assert_eq!(self.next().await.added_topics.len(), count);
    }

    /// Positions of the next so many entries.
    async fn positions(&mut self, count: usize) -> Vec<i64> {
        let mut positions = Vec::new();
        while positions.len() < count {
            positions.extend(self.next().await.entries.iter().map(|entry| entry.position));
        }
        positions
    }

    /// Waits until the log was looked through up to a position, and fails if that told of anything.
    async fn nothing_up_to(&mut self, position: i64) {
        loop {
            let answer = self.next().await;
            assert!(answer.entries.is_empty(), "{answer:?}");
            if answer.position >= position {
                return;
            }
        }
    }
}

#[tokio::test]
async fn it_starts_with_what_comes_from_now_on_or_after_a_position() {
    let (room, topic) = (Room::open().await, Uuid::now_v7());
    room.log.tell(topic, 5);
    let mut from_now = room.follow(None, &[topic]).await;
    let mut from_two = room.follow(Some(2), &[topic]).await;
    let mut from_the_end = room.follow(Some(5), &[topic]).await;
    room.log.tell(topic, 1);
    assert_eq!(from_now.positions(1).await, [6]);
    assert_eq!(from_two.positions(4).await, [3, 4, 5, 6]);
    assert_eq!(from_the_end.positions(1).await, [6]);
}

#[tokio::test]
async fn topics_come_and_go_while_it_lasts() {
    let (room, mine, other) = (Room::open().await, Uuid::now_v7(), Uuid::now_v7());
    let mut follower = room.follow(Some(0), &[mine]).await;
    room.log.tell(other, 1);
    room.log.tell(mine, 1);
    assert_eq!(follower.positions(1).await, [2]);
    follower.requests.send(asked(&[other], &[])).await.unwrap();
    follower.added(1).await;
    room.log.tell(other, 1);
    room.log.tell(mine, 1);
    assert_eq!(follower.positions(2).await, [3, 4]);
    follower.requests.send(asked(&[], &[mine])).await.unwrap();
    follower.added(0).await;
    room.log.tell(mine, 1);
    room.log.tell(other, 1);
    assert_eq!(follower.positions(1).await, [6]);
    // Who follows nothing is still told how far the log was looked through.
    follower.requests.send(asked(&[], &[other])).await.unwrap();
    follower.added(0).await;
    room.log.tell(mine, 3);
    follower.nothing_up_to(9).await;
}

#[tokio::test]
async fn a_long_log_is_caught_up_with_while_it_grows() {
    let (room, topic) = (Room::open().await, Uuid::now_v7());
    room.log.tell(topic, 3_000);
    let mut follower = room.follow(Some(0), &[topic]).await;
    let talking = async {
        for _ in 0..100 {
            room.log.tell(topic, 10);
            tokio::task::yield_now().await;
        }
    };
    let all: Vec<i64> = (1..=4_000).collect();
    let ((), positions) = join(talking, follower.positions(4_000)).await;
    assert_eq!(positions, all);
}

#[tokio::test]
async fn who_falls_behind_the_tail_misses_nothing() {
    let (room, topic) = (Room::open().await, Uuid::now_v7());
    let mut slow = room.follow(Some(0), &[topic]).await;
    let mut quick = room.follow(Some(0), &[topic]).await;
    let all: Vec<i64> = (1..=10_000).collect();
    for part in all.chunks(500) {
        room.log.tell(topic, part.len());
        // The other one takes nothing all the while: more than its queues and the tail hold.
        assert_eq!(quick.positions(part.len()).await, part);
    }
    assert_eq!(slow.positions(all.len()).await, all);
}

#[tokio::test]
async fn without_the_secret_of_the_house_nothing_is_told() {
    let (room, topic) = (Room::open().await, Uuid::now_v7());
    room.log.tell(topic, 1);
    for secret in ["", "another", "the rooms of this hous"] {
        let refused = room.follow_with(secret, Some(0), &[topic]).await.err().unwrap();
        assert!(
            matches!(refused.code(), Code::Unauthenticated | Code::PermissionDenied),
            "{refused}"
        );
    }
}
