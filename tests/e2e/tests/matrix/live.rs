//! Following every subscription as everybody: who hears something, and who is refused.

use moim_e2e::{Person, Socket, Value, eventually, json};

use crate::scene::{ROLES, Role, Scene, text};

/// The fields that are followed here.
pub const FIELDS: [&str; 2] = ["chatMessageAdded", "notificationAdded"];

const CHAT: &str = "subscription($gathering: ID!, $after: String) {
  chatMessageAdded(gatheringId: $gathering, after: $after) { cursor node { id body clientId } }
}";
const NOTIFICATIONS: &str = "subscription($after: String) {
  notificationAdded(after: $after) { cursor node { id kind } }
}";
const NEWEST: &str = "{ viewer { notifications(first: 1) { edges { cursor } } } }";

/// Follows both as everybody.
pub async fn try_all(scene: &Scene) {
    for role in ROLES {
        chat(scene, role).await;
        notifications(scene, role).await;
    }
}

async fn open(scene: &Scene, role: Role) -> Socket {
    Socket::of(scene.cast.client(role)).await.unwrap()
}

async fn chat(scene: &Scene, role: Role) {
    let gathering = scene.id("gathering");
    let first = scene.cast.guest.say(gathering, "처음").await;
    let second = scene.cast.guest.say(gathering, "다음").await;
    let mut socket = open(scene, role).await;
    let variables = json!({ "gathering": gathering, "after": first["cursor"] });
    socket.subscribe("chat", CHAT, variables).await.unwrap();
    match role {
        Role::Stranger => assert_eq!(socket.refusal().await, "UNAUTHENTICATED"),
        Role::Outsider => assert_eq!(socket.refusal().await, "NOT_A_MEMBER"),
        Role::Member | Role::Host => {
            let mut expected = second;
            // Only who sent it knows it by the sender's own id.
            expected["node"]["clientId"] = Value::Null;
            assert_eq!(socket.event().await["chatMessageAdded"], expected);
        }
    }
}

async fn notifications(scene: &Scene, role: Role) {
    let mut socket = open(scene, role).await;
    let Some(person) = scene.cast.person(role) else {
        socket.subscribe("bell", NOTIFICATIONS, json!({})).await.unwrap();
        assert_eq!(socket.refusal().await, "UNAUTHENTICATED");
        return;
    };
    let first = rung(scene, person).await;
    let second = rung(scene, person).await;
    socket.subscribe("bell", NOTIFICATIONS, json!({ "after": first })).await.unwrap();
    let heard = &socket.event().await["notificationAdded"];
    assert_eq!(heard["cursor"], second.as_str());
    assert_eq!(heard["node"]["kind"], "MEMBERSHIP_REQUESTED");
}

/// Somebody asks to join a new gathering of a person, who is told so; the cursor of that.
async fn rung(scene: &Scene, person: &Person) -> String {
    let before = newest(person).await;
    let gathering = person.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
    scene.cast.applicant.join(&gathering).await;
    eventually(async || {
        let now = newest(person).await;
        if now == before { Err(now) } else { Ok(text(&now)) }
    })
    .await
}

async fn newest(person: &Person) -> Value {
    let data = person.data(NEWEST, json!({})).await;
    data["viewer"]["notifications"]["edges"][0]["cursor"].clone()
}
