//! Single frames of a WebSocket, written and read as bytes (RFC 6455, section 5).

use std::time::Duration;

use moim_bff::http::{Settings, SocketLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stand::{PATIENCE, Stand};

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

const INIT: &[u8] = br#"{"type":"connection_init"}"#;

/// A connection that was upgraded by hand.
struct Raw(TcpStream);

impl Raw {
    async fn open(stand: &Stand) -> Self {
        let mut stream = stand.tcp().await;
        let request = "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// A masked frame; its mask is zero, so that its payload stands as it is.
    async fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(MASKED | length),
            _ => {
                frame.push(MASKED | 126);
                frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    async fn read(&mut self) -> (u8, Vec<u8>) {
        let frame = async {
            let first = self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => usize::from(self.0.read_u16().await.unwrap()),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.unwrap();
            (first, payload)
        };
        timeout(PATIENCE, frame).await.expect("nothing came")
    }

    /// Reads up to the close frame; its code.
    async fn closed(&mut self) -> u16 {
        loop {
            let (first, payload) = self.read().await;
            if first == FINAL | CLOSE {
                assert!((2..=125).contains(&payload.len()), "{payload:x?}");
                assert!(std::str::from_utf8(&payload[2..]).is_ok());
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

async fn stand() -> Stand {
    let long = Duration::from_secs(600);
    let socket = SocketLimits { init: long, ping: long, dead: long, ..SocketLimits::default() };
    Stand::open(Settings { socket, ..Settings::default() }).await
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_also_between_fragments() {
    let stand = stand().await;
    let mut raw = Raw::open(&stand).await;
    let (head, tail) = INIT.split_at(9);
    raw.send(TEXT, head).await;
    raw.send(FINAL | PING, b"are you there").await;
    assert_eq!(raw.read().await, (FINAL | PONG, b"are you there".to_vec()));
    raw.send(0, &tail[..3]).await;
    raw.send(FINAL, &tail[3..]).await;
    let ack = br#"{"type":"connection_ack"}"#;
    assert_eq!(raw.read().await, (FINAL | TEXT, ack.to_vec()));
}

#[tokio::test]
async fn frames_that_break_the_protocol_are_1002() {
    let stand = stand().await;
    for (case, first, payload) in [
        ("an opcode that means nothing", FINAL | 0x3, &b""[..]),
        ("a control opcode that means nothing", FINAL | 0xb, b""),
        ("reserved bits", FINAL | 0x40 | TEXT, INIT),
        ("a control frame in fragments", PING, b""),
        ("a control frame longer than 125", FINAL | PING, &[b'x'; 126]),
        ("a close frame longer than 125", FINAL | CLOSE, &[b'x'; 126]),
        ("a continuation of nothing", FINAL, b"x"),
    ] {
        let mut raw = Raw::open(&stand).await;
        raw.send(first, payload).await;
        assert_eq!(raw.closed().await, 1002, "{case}");
    }
    let mut raw = Raw::open(&stand).await;
    raw.send(TEXT, b"{").await;
    raw.send(FINAL | TEXT, INIT).await;
    assert_eq!(raw.closed().await, 1002, "a message within a message");
}

#[tokio::test]
async fn a_message_that_grows_beyond_the_limit_by_fragments_is_1009() {
    let stand = stand().await;
    let mut raw = Raw::open(&stand).await;
    let piece = vec![b'x'; 30_000];
    raw.send(TEXT, &piece).await;
    raw.send(0, &piece).await;
    raw.send(0, &piece).await;
    assert_eq!(raw.closed().await, 1009);
}

#[tokio::test]
async fn text_that_breaks_within_a_character_is_joined_or_1007() {
    let stand = stand().await;
    let message = r#"{"type":"connection_init","payload":{"name":"모임"}}"#.as_bytes();
    let mut raw = Raw::open(&stand).await;
    let within = message.iter().position(|byte| *byte >= 0x80).unwrap() + 1;
    raw.send(TEXT, &message[..within]).await;
    raw.send(FINAL, &message[within..]).await;
    assert_eq!(raw.read().await.0, FINAL | TEXT);
    raw.send(FINAL | TEXT, &message[..within]).await;
    assert_eq!(raw.closed().await, 1007);
}

#[tokio::test]
async fn a_close_is_answered_with_a_close() {
    let stand = stand().await;
    let mut raw = Raw::open(&stand).await;
    raw.send(FINAL | CLOSE, &1000_u16.to_be_bytes()).await;
    assert_eq!(raw.closed().await, 1000);
}
