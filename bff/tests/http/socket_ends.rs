//! Every way a socket is refused or closed, with the code that says why.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use moim_bff::http::{Settings, SocketLimits};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::stand::{PATIENCE, Stand};

const SHORT: Duration = Duration::from_millis(100);

async fn stand(change: impl FnOnce(&mut SocketLimits)) -> Stand {
    let long = Duration::from_secs(600);
    let mut socket = SocketLimits { init: long, ping: long, dead: long, ..SocketLimits::default() };
    change(&mut socket);
    Stand::open(Settings { socket, ..Settings::default() }).await
}

#[tokio::test]
async fn sockets_need_the_sub_protocol_and_a_page_that_may_ask() {
    let mut settings = Settings::default();
    settings.origins.push("https://moim.example".to_owned());
    let stand = Stand::open(settings).await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    for (headers, status) in [
        (&[][..], Some(400)),
        (&[("sec-websocket-protocol", "graphql-ws")][..], Some(400)),
        (&[protocol, ("origin", "https://evil.example")][..], Some(403)),
        (&[protocol, ("origin", "null")][..], Some(403)),
        (&[protocol, ("origin", "https://moim.example")][..], None),
        (&[protocol, ("origin", &stand.url(""))][..], None),
        (&[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")][..], None),
    ] {
        assert_eq!(stand.upgrade(headers).await.err(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn only_so_many_sockets_are_open_at_once() {
    let stand = stand(|limits| limits.sockets = 1).await;
    let first = stand.socket().await;
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    assert_eq!(stand.upgrade(&protocol).await.err(), Some(503));
    drop(first);
    let again = async {
        while stand.upgrade(&protocol).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn what_is_no_message_is_4400() {
    let stand = stand(|_| {}).await;
    let long_id =
        json!({ "id": "x".repeat(65), "type": "subscribe", "payload": { "query": "{ hello }" } });
    for message in [
        Message::text(""),
        Message::text("hello"),
        Message::text("[]"),
        Message::text(r#"{"type":"start"}"#),
        Message::text(r#"{"type":"connection_init","payload":1}"#),
        Message::text(r#"{"id":"1","type":"subscribe","payload":{"query":1}}"#),
        Message::text(r#"{"id":"1","type":"subscribe"}"#),
        Message::text(long_id.to_string()),
        Message::binary(&br#"{"type":"connection_init"}"#[..]),
    ] {
        for mut socket in [stand.socket().await, stand.ready_socket().await] {
            socket.send(message.clone()).await;
            assert_eq!(socket.closed().await, (4400, "Invalid message".to_owned()), "{message:?}");
        }
    }
}

#[tokio::test]
async fn operations_before_the_acknowledgement_are_4401() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.socket().await;
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.closed().await, (4401, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn tokens_that_are_not_good_are_4403_when_the_socket_opens() {
    let stand = stand(|_| {}).await;
    for (token, code) in [("bad", 4403), ("barred", 4403), ("busy", 1013), ("line\nbreak", 4403)] {
        let mut socket = stand.socket().await;
        socket.say(json!({ "type": "connection_init", "payload": { "accessToken": token } })).await;
        assert_eq!(socket.closed().await.0, code, "{token:?}");
    }
}

#[tokio::test]
async fn tokens_that_end_or_are_revoked_close_the_socket_with_4403() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.socket_of(json!({ "accessToken": "short" })).await;
    socket.subscribe("s", "subscription { quiet }").await;
    socket.hear_of("s", "next").await;
    assert_eq!(socket.closed().await, (4403, "Forbidden".to_owned()));
    let mut socket = stand.socket_of(json!({ "accessToken": "stale" })).await;
    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.closed().await, (4403, "Forbidden".to_owned()));
}

#[tokio::test]
async fn a_token_revoked_while_nothing_happens_closes_the_socket_with_4403() {
    let stand = stand(|limits| limits.recheck = SHORT).await;
    let mut socket = stand.socket_of(json!({ "accessToken": "revocable" })).await;
    socket.subscribe("s", "subscription { quiet }").await;
    socket.hear_of("s", "next").await;
    stand.revoked.store(true, Ordering::SeqCst);
    assert_eq!(socket.closed().await, (4403, "Forbidden".to_owned()));
}

#[tokio::test]
async fn sockets_that_are_not_initialised_in_time_are_4408() {
    let stand = stand(|limits| limits.init = SHORT).await;
    let mut socket = stand.socket().await;
    let told = (4408, "Connection initialisation timeout".to_owned());
    assert_eq!(socket.closed().await, told);
    let mut socket = stand.socket().await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await, told, "pings are no initialisation");
    let mut socket = stand.ready_socket().await;
    sleep(SHORT * 3).await;
    socket.subscribe("q", "{ hello }").await;
    socket.hear_of("q", "next").await;
}

#[tokio::test]
async fn an_id_that_is_live_is_4409() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.ready_socket().await;
    for _ in 0..2 {
        socket.subscribe("same", "subscription { quiet }").await;
    }
    assert_eq!(socket.closed().await, (4409, "Subscriber already exists".to_owned()));
}

#[tokio::test]
async fn a_second_initialisation_is_4429() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.ready_socket().await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, (4429, "Too many initialisation requests".to_owned()));
}

#[tokio::test]
async fn floods_of_messages_and_pings_are_4429() {
    let stand = stand(|limits| (limits.burst, limits.per_second) = (20, 1)).await;
    for message in [Message::text(r#"{"type":"pong"}"#), Message::Ping(Default::default())] {
        let mut socket = stand.ready_socket().await;
        for _ in 0..40 {
            socket.send(message.clone()).await;
        }
        assert_eq!(socket.closed().await, (4429, "Too many messages".to_owned()));
    }
}

#[tokio::test]
async fn messages_above_the_limit_are_1009_whole_or_in_fragments() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.ready_socket().await;
    let query = format!("{{ hello }} #{}", "x".repeat(60_000));
    socket.subscribe("fits", &query).await;
    socket.hear_of("fits", "error").await;
    socket.send(Message::text("x".repeat(66_000))).await;
    assert_eq!(socket.closed().await, (1009, "Message too big".to_owned()));
}

#[tokio::test]
async fn bytes_that_are_no_websocket_are_1002_and_text_that_is_no_utf8_1007() {
    let stand = stand(|_| {}).await;
    for (bytes, code) in [
        // Unmasked, as only servers may send.
        (&[0x81, 0x02, b'{', b'}'][..], 1002),
        // Reserved bits.
        (&[0xf1, 0x80, 0, 0, 0, 0][..], 1002),
        // A text of one byte that begins no character.
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], 1007),
    ] {
        let mut socket = stand.ready_socket().await;
        let MaybeTlsStream::Plain(stream) = socket.0.get_mut() else { panic!("not plain") };
        stream.write_all(bytes).await.unwrap();
        assert_eq!(socket.closed().await.0, code, "{bytes:x?}");
    }
}

#[tokio::test]
async fn clients_that_do_not_take_what_they_asked_for_are_4499() {
    let stand = stand(|limits| {
        limits.send = SHORT;
        limits.close = PATIENCE;
    })
    .await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("flood", "subscription { flood }").await;
    // Nothing is read until the session has given up.
    while stand.deeds.dropped.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(socket.closed().await, (4499, "Slow consumer".to_owned()));
}

#[tokio::test]
async fn clients_that_show_no_sign_of_life_are_closed() {
    let stand = stand(|limits| (limits.ping, limits.dead) = (SHORT, SHORT * 2)).await;
    let mut socket = stand.ready_socket().await;
    // Read past the client, which would answer the pings.
    let MaybeTlsStream::Plain(stream) = socket.0.get_mut() else { panic!("not plain") };
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let close = [0x88, 17, 0x03, 0xe9];
    assert!(bytes.windows(4).any(|window| window == close), "{bytes:x?}");
}

#[tokio::test]
async fn clients_that_answer_pings_stay_however_little_they_say() {
    let dead = SHORT * 20;
    let stand = stand(|limits| (limits.ping, limits.dead) = (SHORT, dead)).await;
    let mut socket = stand.ready_socket().await;
    socket.subscribe("s", "subscription { quiet }").await;
    socket.hear_of("s", "next").await;
    let listening = async { while let Some(Ok(Message::Ping(_))) = socket.0.next().await {} };
    assert!(timeout(dead * 2, listening).await.is_err(), "closed although it answered");
    socket.subscribe("q", "{ hello }").await;
    socket.hear_of("q", "next").await;
}

#[tokio::test]
async fn a_stop_tells_every_socket_1001() {
    let stand = stand(|limits| limits.stop_spread = SHORT * 3).await;
    let mut sockets =
        [stand.socket().await, stand.ready_socket().await, stand.ready_socket().await];
    sockets[2].subscribe("s", "subscription { quiet }").await;
    sockets[2].hear_of("s", "next").await;
    let stopped = stand.tasks.stop(PATIENCE);
    let told = async {
        for socket in &mut sockets {
            assert_eq!(socket.closed().await, (1001, "Going away".to_owned()));
        }
    };
    let (stopped, ()) = tokio::join!(stopped, told);
    assert!(stopped, "something kept running");
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered() {
    let stand = stand(|_| {}).await;
    let mut socket = stand.ready_socket().await;
    socket.0.close(None).await.unwrap();
    while let Some(Ok(_)) = timeout(PATIENCE, socket.0.next()).await.unwrap() {}
}
