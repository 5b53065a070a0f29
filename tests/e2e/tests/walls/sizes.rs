//! What is too much is refused, and what never ends is ended.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use moim_proto::member::v1::SignUpRequest;
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use tokio::time::timeout;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service as _, ServiceExt as _};

use crate::room::{Room, list_keys};

const SOON: Duration = Duration::from_secs(30);
/// More than the room may hold on to, and less than what is sent to it.
const FLAT_KIB: u64 = 48 * 1024;

/// Calls with this body, frame by frame; the code of the answer.
async fn send(
    channel: &Channel,
    headers: &[(&str, &str)],
    body: impl Stream<Item = Bytes> + Send + 'static,
) -> Code {
    let frames = body.map(|bytes| Ok::<_, Infallible>(http_body::Frame::data(bytes)));
    let body = Body::new(StreamBody::new(frames));
    let mut request = http::Request::post("/moim.member.v1.MemberService/ListSigningKeys")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut channel = channel.clone();
    let sent = async {
        let answer = channel.ready().await?.call(request.body(body).unwrap()).await?;
        let (head, body) = answer.into_parts();
        let trailers = body.collect().await.ok().and_then(|it| it.trailers().cloned());
        let code = head.headers.get("grpc-status").cloned();
        let code = code.or_else(|| trailers?.get("grpc-status").cloned());
        let code = code.map_or(Code::Unknown, |code| Code::from_bytes(code.as_bytes()));
        Ok::<_, tonic::transport::Error>(code)
    };
    timeout(SOON, sent).await.expect("an answer in time").unwrap_or(Code::Unavailable)
}

/// Five bytes in front of a message.
fn prefix(length: u32) -> Bytes {
    [&[0][..], &length.to_be_bytes()].concat().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_of_one_mebibyte_at_most() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    assert_eq!(send(&channel, &[], stream::iter([prefix(0)])).await, Code::Ok);
    let before = room.resident_kib();
    let mut client = MemberServiceClient::new(channel.clone());
    let large = SignUpRequest { nickname: "x".repeat(8 * 1024 * 1024), ..Default::default() };
    let refused = client.sign_up(large).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    // A length is believed before anything of it is there, or not at all.
    for length in [2 * 1024 * 1024, u32::MAX] {
        let body = stream::iter([prefix(length), Bytes::from_static(&[0; 1024])]);
        let code = send(&channel, &[], body.chain(stream::pending())).await;
        assert_eq!(code, Code::OutOfRange, "{length}");
    }
    assert!(room.resident_kib() < before + FLAT_KIB, "{} KiB", room.resident_kib());
    assert_eq!(send(&channel, &[], stream::iter([prefix(0)])).await, Code::Ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_are_of_sixteen_kibibytes_at_most() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    let fits = "x".repeat(8 * 1024);
    assert_eq!(send(&channel, &[("x-fill", &fits)], stream::iter([prefix(0)])).await, Code::Ok);
    let large = "x".repeat(64 * 1024);
    let code = send(&channel, &[("x-fill", &large)], stream::iter([prefix(0)])).await;
    assert_ne!(code, Code::Ok);
    room.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_without_an_end_is_ended() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    let before = room.resident_kib();
    // Nothing more ever comes; messages of nothing come for ever; a message comes a byte at a time.
    let silent = send(&channel, &[], stream::pending());
    let flooding = room.channel();
    let endless = send(&flooding, &[], stream::repeat(prefix(0)));
    let slow = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Bytes::from_static(&[0]), ()))
    });
    let slow = send(&channel, &[], stream::iter([prefix(500_000)]).chain(slow.boxed()));
    // Others come over connections of their own: that of whoever floods may be cut.
    let other = room.channel();
    let (silent, endless, slow, ordinary) = tokio::join!(silent, endless, slow, list_keys(&other));
    for (what, code) in [("silent", silent), ("endless", endless), ("slow", slow)] {
        assert_ne!(code, Code::Ok, "{what}");
    }
    assert!(!ordinary.unwrap().is_empty());
    assert!(room.resident_kib() < before + FLAT_KIB, "{} KiB", room.resident_kib());
    room.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absurd_timeouts_harm_nobody() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    let ask = async |timeout: &str| {
        send(&channel, &[("grpc-timeout", timeout)], stream::iter([prefix(0)])).await
    };
    assert_eq!(ask("20S").await, Code::Ok);
    let words = ["99999999H", "-1S", "1x", "S", "18446744073709551615n", "NaN", "1 S", "0x1S"];
    for word in words {
        assert_eq!(ask(word).await, Code::Ok, "{word}");
    }
    // No time at all may run out on either side.
    ask("0n").await;
    assert_eq!(ask("20S").await, Code::Ok);
    // However long its caller would wait, a call that does not end is ended.
    let body = stream::pending();
    assert_ne!(send(&channel, &[("grpc-timeout", "99999999H")], body).await, Code::Ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_come_and_say_nothing_take_no_place_for_long() {
    let limits = [
        ("MOIM_ROOMS__LIMITS__CONNECTIONS", "4"),
        ("MOIM_ROOMS__LIMITS__GREETING_TIMEOUT_MS", "1000"),
    ];
    let room = Room::open(&limits).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(tokio::net::TcpStream::connect(room.address).await.unwrap());
    }
    let refused = list_keys(&room.channel()).await.unwrap_err();
    let lost = [Code::Unavailable, Code::Unknown, Code::Cancelled];
    assert!(lost.contains(&refused.code()), "{refused:?}");
    // Once they are cut, there are places again.
    let mut tries = 0;
    while list_keys(&room.channel()).await.is_err() {
        tries += 1;
        assert!(tries < 100, "the places stay taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
