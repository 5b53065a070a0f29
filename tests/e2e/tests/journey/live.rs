//! Following a chat and the bell over a socket: nothing missed, nothing twice, nothing after the end.

use std::time::Duration;

use futures::future::join;
use moim_e2e::{Person, Platform, Socket, Value, eventually, json, on_both_shapes};
use tokio::time::timeout;
use uuid::Uuid;

const CHAT: &str = "subscription($id: ID!, $after: String) {
  chatMessageAdded(gatheringId: $id, after: $after) { cursor node { body } }
}";
const BELL: &str = "subscription($after: String) {
  notificationAdded(after: $after) { cursor node { kind } }
}";
const NESTED: &str = "subscription($id: ID!, $after: String) {
  chatMessageAdded(gatheringId: $id, after: $after) { node {
    body clientId author { nickname bio } gathering { title memberCount host { nickname } }
  } }
}";
const NESTED_BELL: &str = "subscription($after: String) {
  notificationAdded(after: $after) { node {
    kind subject { ... on Schedule { title gathering { title } viewerOption } }
  } }
}";
const SEND: &str = "mutation($input: ChatMessageSendInput!) {
  chatMessageSend(input: $input) { edge { cursor } userErrors { code } }
}";
const LEAVE: &str = "mutation($id: ID!) {
  gatheringLeave(input: { gatheringId: $id }) { userErrors { code } }
}";
const NEWEST: &str = "{ viewer { notifications(first: 1) { edges { cursor } } } }";
/// What is promised within five seconds; a busy machine may be late.
const AT_LAST: Duration = Duration::from_secs(15);

/// A host and a member of one gathering, whom the schedule room knows as such.
async fn pair(platform: &Platform) -> (Person, Person, String) {
    let host = platform.sign_up("host").await;
    let member = platform.sign_up("member").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    member.join(&gathering).await;
    member.attend(&schedule).await;
    (host, member, gathering)
}

async fn open(person: &Person) -> Socket {
    Socket::of(person).await.unwrap()
}

/// Follows the chat after a cursor, or from now on.
async fn follow(person: &Person, gathering: &str, after: &Value) -> Socket {
    let mut socket = open(person).await;
    let variables = json!({ "id": gathering, "after": after });
    socket.subscribe("chat", CHAT, variables).await.unwrap();
    socket
}

/// Bodies of so many messages, and the cursor of the last.
async fn take(socket: &mut Socket, count: usize) -> (Vec<String>, Value) {
    let (mut bodies, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..count {
        let edge = socket.event().await["chatMessageAdded"].clone();
        bodies.push(edge["node"]["body"].as_str().unwrap().to_owned());
        cursor = edge["cursor"].clone();
    }
    (bodies, cursor)
}

/// Cursor of the newest notification after the one given; waits for it.
async fn rung(person: &Person, before: &Value) -> Value {
    eventually(async || {
        let data = person.data(NEWEST, json!({})).await;
        let cursor = data["viewer"]["notifications"]["edges"][0]["cursor"].clone();
        if cursor.is_null() || cursor == *before { Err(data) } else { Ok(cursor) }
    })
    .await
}

on_both_shapes! {
    async fn readers_get_what_was_said_before_and_while_they_came_in_order_and_once(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let first = host.say(&gathering, "0").await["cursor"].clone();
        let talking = async {
            for number in 1..=60 {
                host.say(&gathering, &format!("{number}")).await;
            }
        };
        // One stays; the other is cut off in the middle and goes on from its last cursor.
        let mut steady = follow(&member, &gathering, &first).await;
        let mut broken = follow(&member, &gathering, &first).await;
        let listening = async {
            let (mut bodies, cursor) = take(&mut broken, 20).await;
            drop(broken);
            let mut again = follow(&member, &gathering, &cursor).await;
            bodies.extend(take(&mut again, 40).await.0);
            bodies
        };
        let ((), bodies) = join(talking, listening).await;
        let all: Vec<_> = (1..=60).map(|number| number.to_string()).collect();
        assert_eq!(bodies, all);
        assert_eq!(take(&mut steady, 60).await.0, all);
    }

    async fn cursors_of_elsewhere_are_refused(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let elsewhere = host.create_gathering(json!({})).await;
        host.say(&gathering, "여기").await;
        let other = host.say(&elsewhere, "저기").await["cursor"].clone();
        for cursor in [other, json!(""), json!("garbage"), json!("한글"), json!("A".repeat(34))] {
            let mut socket = follow(&member, &gathering, &cursor).await;
            assert_eq!(socket.refusal().await, "INVALID", "{cursor}");
        }
        // The host is told that the member asks, the member that there is a schedule.
        let approval = host.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
        member.join(&approval).await;
        let theirs = rung(&host, &Value::Null).await;
        host.create_schedule(&gathering, json!({})).await;
        rung(&member, &Value::Null).await;
        for cursor in [theirs, json!("garbage")] {
            let mut socket = open(&member).await;
            socket.subscribe("bell", BELL, json!({ "after": cursor })).await.unwrap();
            assert_eq!(socket.refusal().await, "INVALID", "{cursor}");
        }
    }

    async fn an_event_leads_on_to_other_rooms_and_hides_the_sender_s_own_id(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let first = host.say(&gathering, "처음").await["cursor"].clone();
        let said = host.say(&gathering, "어디서 만나요?").await["node"].clone();
        for (person, own) in [(&member, &Value::Null), (&host, &said["clientId"])] {
            let mut socket = open(person).await;
            let variables = json!({ "id": gathering, "after": first });
            socket.subscribe("chat", NESTED, variables).await.unwrap();
            let expected = json!({ "node": {
                "body": "어디서 만나요?", "clientId": own,
                "author": { "nickname": "host", "bio": null },
                "gathering": {
                    "title": "아침 산책", "memberCount": 2, "host": { "nickname": "host" },
                },
            } });
            assert_eq!(socket.event().await["chatMessageAdded"], expected);
        }
        host.create_schedule(&gathering, json!({})).await;
        let before = rung(&member, &Value::Null).await;
        let mut socket = open(&member).await;
        socket.subscribe("bell", NESTED_BELL, json!({ "after": before })).await.unwrap();
        host.create_schedule(&gathering, json!({ "title": "둘째 만남" })).await;
        let expected = json!({ "node": { "kind": "SCHEDULE_CREATED", "subject": {
            "title": "둘째 만남", "gathering": { "title": "아침 산책" }, "viewerOption": "ATTEND",
        } } });
        assert_eq!(socket.event().await["notificationAdded"], expected);
    }

    async fn whoever_leaves_hears_nothing_more(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let first = host.say(&gathering, "하나").await["cursor"].clone();
        let mut socket = follow(&member, &gathering, &first).await;
        let mut others = follow(&host, &gathering, &first).await;
        host.say(&gathering, "둘").await;
        assert_eq!(take(&mut socket, 1).await.0, ["둘"]);
        member.data(LEAVE, json!({ "id": gathering })).await;
        let refusal = timeout(AT_LAST, socket.refusal()).await.expect("the stream is to end");
        assert_eq!(refusal, "FORBIDDEN");
        host.say(&gathering, "셋").await;
        assert_eq!(take(&mut others, 2).await.0, ["둘", "셋"]);
        // Of the stream that ended there is nothing but its end, if even that: what comes next is
        // of another operation.
        socket.subscribe("again", CHAT, json!({ "id": gathering })).await.unwrap();
        loop {
            let message = socket.soon().await;
            assert!(message.pointer("/payload/data/chatMessageAdded/node").is_none(), "{message}");
            if message["id"] == "again" {
                break;
            }
            assert_eq!(message["type"], "complete", "{message}");
        }
    }

    async fn logging_out_closes_the_socket(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let first = host.say(&gathering, "하나").await["cursor"].clone();
        let phone = member.log_in().await;
        let mut socket = follow(&phone, &gathering, &first).await;
        let mut other_device = follow(&member, &gathering, &first).await;
        phone.data("mutation { authLogOut(input: {}) { userErrors { code } } }", json!({})).await;
        let code = timeout(AT_LAST, socket.close_code()).await.expect("the socket is to be closed");
        assert_eq!(code, 4403);
        host.say(&gathering, "둘").await;
        assert_eq!(take(&mut other_device, 1).await.0, ["둘"]);
    }

    async fn without_a_socket_the_same_comes_as_a_stream_of_events(platform: Platform) {
        let (host, member, gathering) = pair(&platform).await;
        let first = host.say(&gathering, "하나").await["cursor"].clone();
        let variables = json!({ "id": gathering, "after": first });
        let mut response = reqwest::Client::new()
            .post(format!("{}/graphql", member.url()))
            .bearer_auth(member.token().unwrap())
            .header("x-moim-seen", member.seen().unwrap())
            .header("accept", "text/event-stream")
            .header("content-type", "application/json")
            .body(json!({ "query": CHAT, "variables": variables }).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        host.say(&gathering, "둘").await;
        host.say(&gathering, "셋").await;
        let mut text = String::new();
        let reading = async {
            while !text.contains("셋") {
                let chunk = response.chunk().await.unwrap().expect("the stream goes on");
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        timeout(AT_LAST, reading).await.expect("both are to come");
        assert_eq!(text.matches("event: next").count(), 2, "{text}");
        assert!(text.find("둘") < text.find("셋"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_from_too_long_ago_is_expired() {
    let platform = Platform::one_process_with(&[("MOIM_CHAT__RESUME_LIMIT", "3")]).await;
    let (host, member, gathering) = pair(&platform).await;
    let first = host.say(&gathering, "0").await["cursor"].clone();
    let second = host.say(&gathering, "1").await["cursor"].clone();
    for number in 2..=4 {
        host.say(&gathering, &format!("{number}")).await;
    }
    let mut late = follow(&member, &gathering, &first).await;
    assert_eq!(late.refusal().await, "CURSOR_EXPIRED");
    let mut in_time = follow(&member, &gathering, &second).await;
    assert_eq!(take(&mut in_time, 3).await.0, ["2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_room_that_is_killed_and_comes_back_costs_no_reader_a_message() {
    let Some(mut platform) = Platform::apart().await else { return };
    let (host, member, gathering) = pair(&platform).await;
    let first = host.say(&gathering, "0").await["cursor"].clone();
    let mut socket = follow(&member, &gathering, &first).await;
    host.say(&gathering, "1").await;
    assert_eq!(take(&mut socket, 1).await.0, ["1"]);
    for number in [2, 3] {
        platform.room("chat").kill();
        platform.room("chat").start_again();
        // The same client id until there is an answer: said once, however often it is sent.
        let input = json!({
            "gatheringId": gathering, "body": number.to_string(),
            "clientId": Uuid::now_v7().to_string(),
        });
        eventually(async || {
            let body = host.graphql(SEND, json!({ "input": input })).await;
            if body["data"]["chatMessageSend"]["edge"].is_object() { Ok(()) } else { Err(body) }
        })
        .await;
    }
    assert_eq!(take(&mut socket, 2).await.0, ["2", "3"]);
}
