//! Floods of frames end the connection that brings them, and nothing else.

use std::iter;
use std::net::SocketAddr;

use moim_e2e::{Platform, json};

use crate::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, End, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
    field, flood, frame, request,
};
use crate::room::{Room, list_keys, resident_kib};

const FRAMES: usize = 200_000;
/// More than the process may hold on to, and less than what is sent to it.
const FLAT_KIB: u64 = 48 * 1024;

type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// Every flood there is, against a path.
fn floods(path: &'static str, method: &'static str) -> Vec<(&'static str, Pieces)> {
    let open = move |number: usize, flags| {
        let stream = u32::try_from(number * 2 + 1).unwrap();
        (stream, frame(HEADERS, flags, stream, &request(path, method)))
    };
    let resets = (0..FRAMES).map(move |number| {
        let (stream, headers) = open(number, END_HEADERS);
        [headers, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    // Ends each request and lets the room itself reset what it is sent beyond that.
    let broken = (0..FRAMES).map(move |number| {
        let (stream, headers) = open(number, END_HEADERS | END_STREAM);
        [headers, frame(0, 0, stream, b"more")].concat()
    });
    let many = move |piece: Vec<u8>| -> Pieces { Box::new(iter::repeat_n(piece, FRAMES)) };
    let fill: Vec<u8> = (0..100).flat_map(|_| field("x-fill", &"x".repeat(100))).collect();
    let (_, unfinished) = open(0, 0);
    let endless = iter::repeat_n(frame(CONTINUATION, 0, 1, &fill), FRAMES / 10);
    let (_, begun) = open(0, 0);
    let empty = iter::repeat_n(frame(CONTINUATION, 0, 1, &[]), FRAMES);
    vec![
        ("rapid reset", Box::new(resets)),
        ("made to reset", Box::new(broken)),
        ("PING", many(frame(PING, 0, 0, &[7; 8]))),
        ("SETTINGS", many(frame(SETTINGS, 0, 0, &[]))),
        ("PRIORITY", many(frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]))),
        ("CONTINUATION", Box::new(iter::once(unfinished).chain(endless))),
        ("empty CONTINUATION", Box::new(iter::once(begun).chain(empty))),
    ]
}

async fn each_is_cut(address: SocketAddr, path: &'static str, method: &'static str) {
    for (what, pieces) in floods(path, method) {
        let end = flood(address, pieces).await;
        assert_ne!(end, End::Taken, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_cuts_off_who_floods_it() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    list_keys(&channel).await.unwrap();
    let before = room.resident_kib();
    let flooding =
        each_is_cut(room.address, "/moim.member.v1.MemberService/ListSigningKeys", "POST");
    tokio::pin!(flooding);
    // Who keeps to the rules meanwhile is answered on the connection it had before.
    loop {
        tokio::select! {
            () = &mut flooding => break,
            answer = list_keys(&channel) => assert!(!answer.unwrap().is_empty()),
        }
    }
    assert!(room.resident_kib() < before + FLAT_KIB, "{} KiB", room.resident_kib());
    list_keys(&channel).await.unwrap();
    room.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_endpoint_cuts_off_who_floods_it() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    client.data("{ regions { id } }", json!({})).await;
    let before = resident_kib(&platform.processes[0]);
    let address = platform.url().strip_prefix("http://").unwrap().parse().unwrap();
    let flooding = each_is_cut(address, "/healthz", "GET");
    tokio::pin!(flooding);
    loop {
        tokio::select! {
            () = &mut flooding => break,
            data = client.data("{ regions { id } }", json!({})) => assert!(data["regions"].is_array()),
        }
    }
    let after = resident_kib(&platform.processes[0]);
    assert!(after < before + FLAT_KIB, "{before} KiB before, {after} KiB after");
    client.data("{ regions { id } }", json!({})).await;
}
