//! Sockets in bulk, and operations over them that HTTP would not let through either.

use std::time::Duration;

use moim_e2e::{Person, Platform, Socket, json};
use tokio::time::timeout;

use crate::scene::assert_quiet;
use crate::wire::answers;

const LISTEN: &str = "subscription { notificationAdded { cursor } }";
const PATIENCE: Duration = Duration::from_secs(30);

async fn open(person: &Person) -> Socket {
    Socket::open(person.url(), person.client.token().unwrap()).await.unwrap()
}

/// The socket does not live on.
async fn ends(socket: &mut Socket) {
    let end = async { while socket.next().await.is_ok() {} };
    timeout(PATIENCE, end).await.expect("the socket is still open");
}

#[tokio::test]
async fn of_two_hundred_sockets_twenty_are_open_and_others_are_answered() {
    let platform = Platform::one_process().await;
    let (client, person) = (platform.client(), platform.sign_up("somebody").await);
    answers(&client, "nothing yet").await;
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..200 {
        match Socket::of(&client).await {
            Ok(socket) => held.push(socket),
            Err(error) => {
                assert!(format!("{error:?}").contains("429"), "{error:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((held.len(), refused), (20, 180));
    answers(&client, "two hundred sockets").await;
    // Whoever signs in needs a place of the address only until then.
    held.pop();
    let mut own = Vec::new();
    for _ in 0..5 {
        own.push(open_soon(&person).await);
    }
    let error = Socket::open(person.url(), person.client.token().unwrap()).await.err().unwrap();
    assert!(format!("{error:?}").contains("Too many sockets"), "{error:?}");
    drop((held, own));
    let mut socket = open_soon(&person).await;
    socket.subscribe("1", "{ viewer { id } }", json!({})).await.unwrap();
    assert_eq!(socket.event().await["viewer"]["id"], person.viewer_id.as_str());
    assert_quiet(&platform);
}

/// A place that was given up is free a moment later.
async fn open_soon(person: &Person) -> Socket {
    moim_e2e::eventually(async || {
        Socket::open(person.url(), person.client.token().unwrap())
            .await
            .map_err(|it| it.to_string())
    })
    .await
}

#[tokio::test]
async fn of_many_subscriptions_fifty_run_and_a_thousand_end_the_socket() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    answers(&person, "nothing yet").await;
    let mut socket = open(&person).await;
    for number in 0..60 {
        socket.subscribe(&number.to_string(), LISTEN, json!({})).await.unwrap();
    }
    for _ in 0..10 {
        assert_eq!(socket.refusal().await, "RATE_LIMITED");
    }
    answers(&person, "sixty subscriptions").await;
    let mut socket = open(&person).await;
    for number in 0..1_000 {
        if socket.subscribe(&number.to_string(), LISTEN, json!({})).await.is_err() {
            break;
        }
    }
    ends(&mut socket).await;
    answers(&person, "a thousand subscriptions").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn four_megabytes_in_one_message_end_the_socket() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    answers(&person, "nothing yet").await;
    for bytes in [70_000, 4 * 1024 * 1024] {
        let mut socket = open(&person).await;
        let _ = socket
            .subscribe("1", &format!("{{ __typename }} #{}", "x".repeat(bytes)), json!({}))
            .await;
        ends(&mut socket).await;
        answers(&person, "a large message").await;
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn what_http_refuses_a_socket_refuses_too() {
    let platform = Platform::one_process_with(&[("MOIM_BFF__MODE", "production")]).await;
    let person = platform.sign_up("somebody").await;
    answers(&person, "nothing yet").await;
    let mutations = |count: usize| {
        let fields: String = (0..count)
            .map(|n| {
                format!(
                    "m{n}: memberUpdate(input: {{ bio: \"hit\" }}) {{ userErrors {{ code }} }} "
                )
            })
            .collect();
        format!("mutation {{ {fields} }}")
    };
    let mut socket = open(&person).await;
    for (query, code) in [
        (mutations(4), "TOO_COMPLEX"),
        ("{ __schema { queryType { name } } }".to_owned(), "INTROSPECTION_DISABLED"),
        (r#"{ __type(name: "Query") { name } }"#.to_owned(), "INTROSPECTION_DISABLED"),
        ("{ gatherings(first: 100000) { edges { cursor } } }".to_owned(), "TOO_COMPLEX"),
        (format!("{{ {} }}", "{a ".repeat(100)), "TOO_COMPLEX"),
        (format!("{{ __typename #{} }}", "x".repeat(20_000)), "TOO_COMPLEX"),
        (
            "subscription { a: notificationAdded { cursor } b: notificationAdded { cursor } }"
                .to_owned(),
            "TOO_COMPLEX",
        ),
        ("{ nothing }".to_owned(), "VALIDATION_FAILED"),
        ("{".to_owned(), "PARSE_FAILED"),
        (
            "mutation { walletTopUp(input: { amount: 1000 }) { userErrors { code } } }".to_owned(),
            "INVALID",
        ),
    ] {
        socket.subscribe("1", &query, json!({})).await.unwrap();
        let told = socket.soon().await.to_string();
        assert!(told.contains(code), "{query}: {told}");
        if told.contains(r#""type":"next""#) {
            assert_eq!(socket.soon().await["type"], "complete");
        }
    }
    let viewer = person.data("{ viewer { member { bio } wallet { balance } } }", json!({})).await;
    assert_eq!(viewer["viewer"], json!({ "member": { "bio": null }, "wallet": { "balance": 0 } }));
    socket.subscribe("1", &mutations(1), json!({})).await.unwrap();
    assert!(socket.event().await["m0"].is_object());
    assert_quiet(&platform);
}
