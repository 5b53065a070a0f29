//! Subscriptions over the live hub: in order, nothing left out, nothing twice, whatever breaks meanwhile.
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "live/room.rs"]
mod room;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_graphql::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{Stream, StreamExt as _};
use moim_bff::live::{Live, RING};
use moim_bff::schema::{Schema, Scope, build};
use moim_bff::{LiveWires, Upstream, Wires};
use moim_kit::id::{MemberId, SessionId};
use moim_kit::task::Tasks;
use moim_kit::trace::Trace;
use moim_kit::wire;
use moim_kit::{Call, Caller};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use room::{SECRET, Script};

/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

type Events = Pin<Box<dyn Stream<Item = Response> + Send>>;

/// An endpoint's schema in front of a scripted chat room.
struct Stand {
    script: Arc<Script>,
    schema: Schema,
    live: Live,
    upstream: Upstream,
    viewer: MemberId,
}

impl Stand {
    async fn open() -> Self {
        let (script, tasks) = (Script::new(), Tasks::new());
        let chat = script.open(&tasks).await;
        let nobody = || wire::local(tonic::service::Routes::default());
        let upstream = Upstream::new(Wires {
            member: nobody(),
            gathering: nobody(),
            schedule: nobody(),
            review: nobody(),
            chat: chat.clone(),
            notification: nobody(),
            payment: nobody(),
            search: nobody(),
        });
        let wires = LiveWires { chat, notification: nobody(), secret: SECRET.into() };
        let live = Live::new(wires, &upstream, &tasks);
        let schema = build(true, live.clone());
        Self { script, schema, live, upstream, viewer: MemberId::fresh() }
    }

    fn follow_as(&self, viewer: MemberId, after: Option<String>) -> Events {
        let caller = Caller { member: viewer, session: SessionId::fresh() };
        let call = Call::new(Trace::fresh(), Instant::now() + PATIENCE).by(caller, "token");
        let scope = Scope::new(call, false, "http://here".into(), self.upstream.clone());
        let mut id = vec![3];
        id.extend_from_slice(self.script.gathering.as_bytes());
        let query = "subscription($id: ID!, $after: String) {
            chatMessageAdded(gatheringId: $id, after: $after) { cursor node { body clientId } } }";
        let variables = json!({ "id": URL_SAFE_NO_PAD.encode(id), "after": after });
        let request = Request::new(query)
            .variables(async_graphql::Variables::from_json(variables))
            .data(scope);
        Box::pin(self.schema.execute_stream(request))
    }

    fn follow(&self, after: Option<String>) -> Events {
        self.follow_as(self.viewer, after)
    }

    /// A subscription that stands: it was polled, and the room was asked.
    async fn standing(&self, after: Option<String>) -> Events {
        let mut events = self.follow(after);
        let before = self.script.resumes.load(Ordering::SeqCst);
        let asked = async {
            while self.script.resumes.load(Ordering::SeqCst) == before {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            event = events.next() => panic!("too early: {event:?}"),
            () = asked => {}
        }
        // The answer may still be on its way; one more look takes it in.
        let _ = timeout(
            Duration::from_millis(200),
            futures::future::poll_fn(|cx| {
                let _ = events.as_mut().poll_next(cx).map(|event| panic!("too early: {event:?}"));
                std::task::Poll::<()>::Pending
            }),
        )
        .await;
        events
    }
}

async fn next(events: &mut Events) -> Response {
    timeout(PATIENCE, events.next()).await.unwrap().unwrap()
}

async fn body(events: &mut Events) -> i64 {
    let response = next(events).await;
    let data = response.data.into_json().unwrap();
    let edge = &data["chatMessageAdded"];
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    edge["node"]["body"].as_str().unwrap().parse().unwrap()
}

async fn code(events: &mut Events) -> Value {
    let response = next(events).await;
    let error = serde_json::to_value(&response.errors[0]).unwrap();
    assert!(timeout(PATIENCE, events.next()).await.unwrap().is_none(), "it ends with its error");
    error["extensions"]["code"].clone()
}

async fn eventually(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn a_reader_without_a_cursor_hears_what_comes_from_now_on() {
    let stand = Stand::open().await;
    stand.script.send();
    let mut events = stand.standing(None).await;
    stand.script.send();
    stand.script.delete_last();
    stand.script.send();
    assert_eq!((body(&mut events).await, body(&mut events).await), (2, 3));
    assert_eq!(stand.script.resumes.load(Ordering::SeqCst), 1, "a message costs no call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_out_or_repeated_under_a_writer_that_never_stops() {
    let stand = Stand::open().await;
    let script = stand.script.clone();
    let _writer = moim_kit::task::scoped(async move {
        for written in 0.. {
            script.send();
            if written == 400 {
                script.cut();
            }
            sleep(Duration::from_micros(500)).await;
        }
    });
    sleep(Duration::from_millis(200)).await;
    let mut events = stand.follow(Some(stand.script.cursor(0)));
    for expected in 1..=1_000 {
        assert_eq!(body(&mut events).await, expected);
    }
    assert!(stand.script.follows.load(Ordering::SeqCst) >= 1);
}

#[tokio::test]
async fn a_reader_goes_on_after_its_cursor() {
    let stand = Stand::open().await;
    for _ in 0..250 {
        stand.script.send();
    }
    let mut events = stand.follow(Some(stand.script.cursor(20)));
    for expected in 21..=250 {
        assert_eq!(body(&mut events).await, expected);
    }
    stand.script.send();
    let edge = next(&mut events).await.data.into_json().unwrap();
    let edge = &edge["chatMessageAdded"];
    assert_eq!(edge["cursor"], stand.script.cursor(251), "live cursors are those of the list");
    assert_eq!(edge["node"]["clientId"], Value::Null, "only its sender is shown it");
}

#[tokio::test]
async fn the_sender_is_shown_their_own_id_of_a_message() {
    let stand = Stand::open().await;
    let author = MemberId::from_uuid(stand.script.author);
    let mut events = stand.follow_as(author, Some(stand.script.cursor(0)));
    let first = next(&mut events);
    let send = async {
        eventually(|| stand.script.resumes.load(Ordering::SeqCst) > 0).await;
        stand.script.send();
    };
    let (first, ()) = futures::join!(first, send);
    let data = first.data.into_json().unwrap();
    assert_eq!(data["chatMessageAdded"]["node"]["clientId"], "own-1");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_the_others_are_not() {
    let stand = Stand::open().await;
    let mut slow = stand.standing(None).await;
    let mut quick = stand.standing(None).await;
    for expected in 1..=i64::try_from(RING).unwrap() + 50 {
        stand.script.send();
        assert_eq!(body(&mut quick).await, expected);
    }
    assert_eq!(code(&mut slow).await, "SLOW_CONSUMER");
    let mut again = stand.follow(Some(stand.script.cursor(0)));
    assert_eq!(body(&mut again).await, 1, "and goes on from its cursor");
}

#[tokio::test]
async fn whoever_leaves_hears_nothing_more() {
    let stand = Stand::open().await;
    let mut events = stand.standing(None).await;
    stand.script.depart(Uuid::now_v7());
    stand.script.send();
    assert_eq!(body(&mut events).await, 1, "the departure of others ends nothing");
    stand.script.depart(stand.viewer.uuid());
    stand.script.send();
    assert_eq!(code(&mut events).await, "FORBIDDEN");
}

#[tokio::test]
async fn an_outsider_and_a_bad_cursor_are_refused_at_once() {
    let stand = Stand::open().await;
    let mut forged = stand.follow(Some("forged".to_owned()));
    assert_eq!(code(&mut forged).await, "INVALID");
    let mut ancient = stand.follow(Some(stand.script.cursor(-1)));
    assert_eq!(code(&mut ancient).await, "CURSOR_EXPIRED");
    stand.script.expel();
    assert_eq!(code(&mut stand.follow(None)).await, "NOT_A_MEMBER");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_begun_again_where_it_was() {
    let stand = Stand::open().await;
    let mut events = stand.standing(None).await;
    stand.script.send();
    assert_eq!(body(&mut events).await, 1);
    stand.script.cut();
    for _ in 0..3 {
        stand.script.send();
    }
    for expected in 2..=4 {
        assert_eq!(body(&mut events).await, expected);
    }
    eventually(|| stand.script.follows.load(Ordering::SeqCst) == 2).await;
    stand.script.send();
    assert_eq!(body(&mut events).await, 5);
    assert_eq!(stand.script.resumes.load(Ordering::SeqCst), 1, "no reader had to ask");
}

#[tokio::test]
async fn a_topic_is_followed_once_and_only_while_somebody_reads_it() {
    let stand = Stand::open().await;
    let first = stand.standing(None).await;
    let second = stand.standing(None).await;
    assert_eq!(stand.script.topics.load(Ordering::SeqCst), 1);
    drop(first);
    assert_eq!(stand.live.topics(), 1);
    drop(second);
    assert_eq!(stand.live.topics(), 0);
    eventually(|| stand.script.topics.load(Ordering::SeqCst) == 0).await;
    let mut again = stand.standing(None).await;
    stand.script.send();
    assert_eq!(body(&mut again).await, 1);
}
