//! Bytes on a socket, for requests that no well-behaved client would send.

use std::time::Duration;

use moim_e2e::{Client, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long enough for any answer; only a server that never answers gets there.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer as it stood on the wire; empty when the connection was just closed.
#[derive(Debug)]
pub struct Raw {
    pub text: String,
}

impl Raw {
    /// The HTTP status; 0 when there was none.
    pub fn status(&self) -> u16 {
        let mut words = self.text.split(' ');
        match words.next() {
            Some("HTTP/1.1" | "HTTP/1.0") => {
                words.next().and_then(|word| word.parse().ok()).unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// `extensions.code` of the only error.
    pub fn code(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body: Value = body.parse().unwrap_or_default();
        let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [error] = errors else { return String::new() };
        error["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection to the endpoint a client asks.
pub async fn connect(client: &Client) -> TcpStream {
    TcpStream::connect(client.url().trim_start_matches("http://")).await.unwrap()
}

/// Sends bytes and reads until the other side closes.
pub async fn send(client: &Client, bytes: &[u8]) -> Raw {
    let mut stream = connect(client).await;
    // What is refused early may be cut while it is still being sent.
    let _ = stream.write_all(bytes).await;
    read(&mut stream).await
}

/// Reads until the other side closes.
pub async fn read(stream: &mut TcpStream) -> Raw {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "never closed; so far {:?}", String::from_utf8_lossy(&bytes));
    Raw { text: String::from_utf8_lossy(&bytes).into_owned() }
}

/// A request with a body and its length, after which the connection is to be closed.
pub fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: moim\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// An ordinary request is answered as ever.
pub async fn answers(client: &Client, after: &str) {
    let data =
        client.data("{ gatherings(first: 1) { pageInfo { hasNextPage } } }", json!({})).await;
    assert!(data["gatherings"]["pageInfo"].is_object(), "after {after}: {data}");
}
