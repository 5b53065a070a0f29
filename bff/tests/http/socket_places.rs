//! How many sockets and streams somebody may hold open.

use moim_bff::http::{Settings, SocketLimits};
use serde_json::json;
use tokio::time::{Duration, sleep, timeout};

use crate::stand::{PATIENCE, Stand};

const PROTOCOL: [(&str, &str); 1] = [("sec-websocket-protocol", "graphql-transport-ws")];

async fn stand(change: impl FnOnce(&mut SocketLimits)) -> Stand {
    let long = Duration::from_secs(600);
    let mut socket = SocketLimits { init: long, ..SocketLimits::default() };
    change(&mut socket);
    Stand::open(Settings { socket, ..Settings::default() }).await
}

async fn subscribe(stand: &Stand, token: Option<&str>) -> reqwest::Response {
    let request = reqwest::Client::new().post(stand.url("/graphql"));
    let request = request.header("accept", "text/event-stream");
    let request = request.json(&json!({ "query": "subscription { quiet }" }));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    timeout(PATIENCE, request.send()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_member_holds_only_so_many_sockets_and_streams() {
    let stand = stand(|limits| limits.per_member = 2).await;
    let good = json!({ "accessToken": "good" });
    let first = stand.socket_of(good.clone()).await;
    let stream = subscribe(&stand, Some("good")).await;
    assert_eq!(stream.status(), 200);
    let mut third = stand.socket().await;
    third.say(json!({ "type": "connection_init", "payload": good })).await;
    assert_eq!(third.closed().await, (1013, "Too many sockets of this member".to_owned()));
    let refused = subscribe(&stand, Some("good")).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("RATE_LIMITED"));
    // Somebody else is not touched by it.
    stand.socket_of(json!({ "accessToken": "revocable" })).await;
    drop((first, stream));
    let again = async {
        while subscribe(&stand, Some("good")).await.status() != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn strangers_of_an_address_hold_only_so_many() {
    let stand = stand(|limits| limits.per_address = 2).await;
    let silent = stand.socket().await;
    let _anonymous = stand.ready_socket().await;
    assert_eq!(stand.upgrade(&PROTOCOL).await.err(), Some(429));
    assert_eq!(subscribe(&stand, None).await.status(), 429);
    drop(silent);
    let member = async {
        while stand.upgrade(&PROTOCOL).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, member).await.unwrap();
    let freed = async {
        while subscribe(&stand, None).await.status() != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, freed).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_says_whose_it_is_counts_for_its_address_no_longer() {
    let stand = stand(|limits| (limits.per_address, limits.per_member) = (1, 5)).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(stand.socket_of(json!({ "accessToken": "good" })).await);
    }
}
