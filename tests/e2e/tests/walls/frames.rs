//! HTTP/2 frames written by hand, for peers that keep to no rules.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A peer is cut within this, or never.
const SOON: Duration = Duration::from_secs(60);

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head[..], payload].concat()
}

/// Headers of a request as literals that no table keeps.
pub fn request(path: &str, method: &str) -> Vec<u8> {
    let fields = [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "room"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// One header as a literal that no table keeps.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 127, "longer ones take more bytes");
        [&[length][..], text.as_bytes()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}

/// How a flood ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The peer said why, or just cut.
    Cut { told_to_go: bool },
    /// All was sent, and the connection still stands.
    Taken,
}

/// Greets, then sends pieces until there are none or the peer has had enough; reads all the while.
pub async fn flood(address: SocketAddr, pieces: impl Iterator<Item = Vec<u8>>) -> End {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let greeting = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat();
    stream.write_all(&greeting).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut read = Vec::new();
    let reading = async {
        let mut buffer = [0; 65_536];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(length) => read.extend_from_slice(&buffer[..length]),
            }
        }
    };
    let writing = async {
        let mut pieces = pieces;
        loop {
            let batch: Vec<u8> = pieces.by_ref().take(100).flatten().collect();
            if batch.is_empty() {
                // What was sent may not be read yet.
                sleep(Duration::from_secs(2)).await;
                return;
            }
            if writer.write_all(&batch).await.is_err() {
                // The end may still be on its way here.
                return sleep(Duration::from_secs(2)).await;
            }
        }
    };
    let cut = async {
        tokio::select! {
            () = reading => true,
            () = writing => false,
        }
    };
    let cut = timeout(SOON, cut).await.expect("the flood is neither taken nor refused");
    let told_to_go = kinds(&read).contains(&GOAWAY);
    if cut || told_to_go { End::Cut { told_to_go } } else { End::Taken }
}

/// The kinds of the frames in what was read.
fn kinds(mut read: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = read {
        kinds.push(*kind);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        read = rest.get(length..).unwrap_or_default();
    }
    kinds
}
