//! A chat room written by a test, behind a real socket: its messages, its log, and the outages of both.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use async_graphql::async_trait::async_trait;
use futures::Stream;
use moim_kit::page::{CHAT_MESSAGES, Cursor};
use moim_kit::task::{Tasks, scoped};
use moim_kit::wire::{self, Wire};
use moim_kit::{Code, Fault};
use moim_proto::chat::v1 as chat;
use moim_proto::chat::v1::chat_service_server::{ChatService, ChatServiceServer};
use moim_proto::fact::v1 as fact;
use moim_proto::fact::v1::live_service_server::{LiveService, LiveServiceServer};
use moim_proto::member::v1::Card;
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

/// The house's secret of these tests.
pub const SECRET: &str = "a secret of the tests";

/// One gathering's chat.
pub struct Script {
    pub gathering: Uuid,
    pub author: Uuid,
    state: Mutex<State>,
    /// Length of the log.
    length: watch::Sender<usize>,
    /// Grows when every stream is to break.
    cuts: watch::Sender<u32>,
    /// Streams that stand, and topics they were asked for.
    pub topics: AtomicI32,
    pub follows: AtomicUsize,
    pub resumes: AtomicUsize,
}

#[derive(Default)]
struct State {
    messages: Vec<chat::ChatMessage>,
    log: Vec<fact::Entry>,
    expelled: bool,
}

impl Script {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            gathering: Uuid::now_v7(),
            author: Uuid::now_v7(),
            state: Mutex::default(),
            length: watch::Sender::new(0),
            cuts: watch::Sender::new(0),
            topics: AtomicI32::new(0),
            follows: AtomicUsize::new(0),
            resumes: AtomicUsize::new(0),
        })
    }

    /// Sends a message: it is in the list and in the log at once.
    pub fn send(&self) {
        let mut state = self.state.lock();
        let sequence = i64::try_from(state.messages.len()).unwrap() + 1;
        let message = chat::ChatMessage {
            id: Uuid::now_v7().to_string(),
            gathering_id: self.gathering.to_string(),
            sequence,
            author: Some(Card {
                id: self.author.to_string(),
                nickname: "가람".to_owned(),
                ..Card::default()
            }),
            body: Some(sequence.to_string()),
            sent_at_us: sequence,
            client_id: Some(format!("own-{sequence}")),
        };
        state.messages.push(message.clone());
        let event = chat::ChatMessageEvent { message: Some(message) };
        self.tell(&mut state, "chat_message", 1, &event);
    }

    /// A message that was deleted is told again, as version 2.
    pub fn delete_last(&self) {
        let mut state = self.state.lock();
        let message = state.messages.last_mut().unwrap();
        message.body = None;
        let event = chat::ChatMessageEvent { message: Some(message.clone()) };
        self.tell(&mut state, "chat_message", 2, &event);
    }

    /// A member is out.
    pub fn depart(&self, member: Uuid) {
        let event = chat::ChatDepartureEvent {
            gathering_id: self.gathering.to_string(),
            member_id: member.to_string(),
        };
        self.tell(&mut self.state.lock(), "chat_departure", 1, &event);
    }

    /// Whoever asks from now on is no member.
    pub fn expel(&self) {
        self.state.lock().expelled = true;
    }

    /// Breaks every live stream.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub fn cursor(&self, sequence: i64) -> String {
        Cursor { key: sequence, id: self.gathering }.encode(CHAT_MESSAGES)
    }

    fn tell(&self, state: &mut State, noun: &str, version: i64, event: &impl Message) {
        let position = i64::try_from(state.log.len()).unwrap() + 1;
        state.log.push(fact::Entry {
            position,
            fact: Some(fact::Fact {
                id: Uuid::now_v7().to_string(),
                noun: noun.to_owned(),
                aggregate_id: Uuid::now_v7().to_string(),
                version,
                payload: event.encode_to_vec().into(),
                kind: fact::FactKind::Event.into(),
                topic: self.gathering.to_string(),
                ..fact::Fact::default()
            }),
        });
        self.length.send_replace(state.log.len());
    }

    /// Opens it at an address and answers the wire there.
    pub async fn open(self: &Arc<Self>, tasks: &Tasks) -> Wire {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder()
            .add_service(ChatServiceServer::new(Room(self.clone())))
            .add_service(LiveServiceServer::new(Room(self.clone())));
        tasks.spawn("scripted room", async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming(incoming).await.unwrap();
        });
        wire::remote(&address).unwrap()
    }
}

struct Room(Arc<Script>);

/// One less of something, whatever ends it.
struct Standing(Arc<Script>, i32);

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.topics.fetch_sub(self.1, Ordering::SeqCst);
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<fact::FollowResponse, Status>> + Send>>;

#[async_trait]
impl LiveService for Room {
    type FollowStream = Answers;

    async fn follow(
        &self,
        request: Request<Streaming<fact::FollowRequest>>,
    ) -> Result<Response<Answers>, Status> {
        if request.metadata().get("moim-house-secret").unwrap().as_bytes() != SECRET.as_bytes() {
            return Err(Status::permission_denied("not of this house"));
        }
        let script = self.0.clone();
        script.follows.fetch_add(1, Ordering::SeqCst);
        let (answers, receiver) = mpsc::channel(4);
        let mut requests = request.into_inner();
        let mut cuts = script.cuts.subscribe();
        let work = scoped(async move {
            let first = requests.message().await.unwrap().unwrap();
            let mut length = script.length.subscribe();
            let mut at = match first.after_position {
                Some(position) => usize::try_from(position).unwrap(),
                None => *length.borrow_and_update(),
            };
            let mut topics = HashSet::new();
            let mut standing = Standing(script.clone(), 0);
            let mut next = Some(first);
            loop {
                let mut answer = fact::FollowResponse::default();
                if let Some(request) = next.take() {
                    answer.added_topics = request.add_topics.clone();
                    let before = topics.len();
                    topics.extend(request.add_topics);
                    topics.retain(|topic| !request.remove_topics.contains(topic));
                    let more =
                        i32::try_from(topics.len()).unwrap() - i32::try_from(before).unwrap();
                    standing.1 += more;
                    script.topics.fetch_add(more, Ordering::SeqCst);
                }
                let entries: Vec<_> = script.state.lock().log[at..].to_vec();
                at += entries.len();
                answer.position = i64::try_from(at).unwrap();
                let wanted =
                    |entry: &fact::Entry| topics.contains(&entry.fact.as_ref().unwrap().topic);
                answer.entries = entries.into_iter().filter(wanted).collect();
                if answers.send(Ok(answer)).await.is_err() {
                    return;
                }
                tokio::select! {
                    request = requests.message() => match request {
                        Ok(Some(request)) => next = Some(request),
                        _ => return,
                    },
                    () = async { drop(length.wait_for(|length| *length > at).await) } => {}
                    _ = cuts.changed() => {
                        let _ = answers.send(Err(Status::unavailable("cut"))).await;
                        return;
                    }
                }
            }
        });
        let answers = ReceiverStream::new(receiver).map(move |answer| {
            let _kept = &work;
            answer
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

#[async_trait]
impl ChatService for Room {
    async fn resume(
        &self,
        request: Request<chat::ResumeRequest>,
    ) -> Result<Response<chat::ResumeResponse>, Status> {
        let script = &self.0;
        script.resumes.fetch_add(1, Ordering::SeqCst);
        let state = script.state.lock();
        let asked = request.into_inner();
        if state.expelled || asked.gathering_id != script.gathering.to_string() {
            return Err(Fault::new(Code::NotAMember, "NOT_A_MEMBER", "For members.").into());
        }
        let last_sequence = i64::try_from(state.messages.len()).unwrap();
        let Some(after) = asked.after else {
            return Ok(Response::new(chat::ResumeResponse {
                last_sequence,
                ..chat::ResumeResponse::default()
            }));
        };
        let after = Cursor::decode(&after, CHAT_MESSAGES, "after")?;
        if after.key < 0 {
            return Err(Fault::new(Code::Invalid, "CURSOR_EXPIRED", "Too far behind.").into());
        }
        let rest = &state.messages[usize::try_from(after.key).unwrap()..];
        let messages: Vec<_> = rest.iter().take(100).cloned().collect();
        Ok(Response::new(chat::ResumeResponse {
            cursors: messages.iter().map(|message| script.cursor(message.sequence)).collect(),
            more: rest.len() > messages.len(),
            messages,
            last_sequence,
        }))
    }

    async fn batch_get(
        &self,
        _: Request<chat::BatchGetRequest>,
    ) -> Result<Response<chat::BatchGetResponse>, Status> {
        Err(Status::unimplemented("not of this script"))
    }

    async fn batch_list(
        &self,
        _: Request<chat::BatchListRequest>,
    ) -> Result<Response<chat::BatchListResponse>, Status> {
        Err(Status::unimplemented("not of this script"))
    }

    async fn send(
        &self,
        _: Request<chat::SendRequest>,
    ) -> Result<Response<chat::SendResponse>, Status> {
        Err(Status::unimplemented("not of this script"))
    }

    async fn delete(
        &self,
        _: Request<chat::DeleteRequest>,
    ) -> Result<Response<chat::DeleteResponse>, Status> {
        Err(Status::unimplemented("not of this script"))
    }
}
