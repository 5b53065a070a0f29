//! A client of graphql-transport-ws that can be cut off in the middle.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::{Client, SEEN};

/// For an answer that should come at once; on a busy machine it may take a while.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const NARROW_BYTES: u32 = 4_096;

/// One socket, acknowledged.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects to an endpoint such as `http://127.0.0.1:4000` and signs in; an error when it is down.
    pub async fn open(url: &str, token: &str) -> anyhow::Result<Self> {
        Self::open_on(TcpSocket::new_v4()?, url, json!({ "accessToken": token }), None).await
    }

    /// Connects as a client: with its token, if any, and with what it has seen.
    pub async fn of(client: &Client) -> anyhow::Result<Self> {
        let payload = match client.token() {
            Some(token) => json!({ "accessToken": token }),
            None => json!({}),
        };
        Self::open_on(TcpSocket::new_v4()?, client.url(), payload, client.seen()).await
    }

    /// The same with so little room at this end that whoever sends to it soon has to wait.
    pub async fn open_narrow(url: &str, token: &str) -> anyhow::Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        tcp.set_recv_buffer_size(NARROW_BYTES)?;
        Self::open_on(tcp, url, json!({ "accessToken": token }), None).await
    }

    async fn open_on(
        tcp: TcpSocket,
        url: &str,
        payload: Value,
        seen: Option<String>,
    ) -> anyhow::Result<Self> {
        let place = url.strip_prefix("http://").unwrap_or(url);
        let stream = timeout(ANSWER_WITHIN, tcp.connect(place.parse()?)).await??;
        let mut request = format!("ws://{place}/graphql").into_client_request()?;
        let protocol = "graphql-transport-ws".parse()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        if let Some(seen) = seen {
            request.headers_mut().insert(SEEN, seen.parse()?);
        }
        let (mut socket, _) = timeout(ANSWER_WITHIN, client_async(request, stream)).await??;
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.send(Message::text(init.to_string())).await?;
        let mut socket = Self(socket);
        let ack = timeout(ANSWER_WITHIN, socket.next()).await??;
        anyhow::ensure!(ack["type"] == "connection_ack", "refused: {ack}");
        Ok(socket)
    }

    /// Starts a subscription under an id.
    pub async fn subscribe(
        &mut self,
        id: &str,
        query: &str,
        variables: Value,
    ) -> anyhow::Result<()> {
        let payload = json!({ "query": query, "variables": variables });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload })).await
    }

    /// Sends a message as it is, of the protocol or not.
    pub async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next message of the protocol; an error once the socket is gone.
    pub async fn next(&mut self) -> anyhow::Result<Value> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                Some(Ok(Message::Close(frame))) => anyhow::bail!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => anyhow::bail!("the socket is gone"),
            }
        }
    }

    /// The next message about an operation, pings left out; fails when none comes in time.
    pub async fn soon(&mut self) -> Value {
        let within = timeout(ANSWER_WITHIN, async {
            loop {
                let message = self.next().await?;
                if message["type"] != "ping" {
                    return anyhow::Ok(message);
                }
            }
        });
        within.await.expect("a message was to come").unwrap()
    }

    /// `data` of the next event; fails on anything else.
    pub async fn event(&mut self) -> Value {
        let message = self.soon().await;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].clone()
    }

    /// Code of the one error that ends an operation, whichever message carries it; fails on an event.
    pub async fn refusal(&mut self) -> String {
        let message = self.soon().await;
        let errors = match message["type"].as_str() {
            Some("error") => &message["payload"],
            _ => &message["payload"]["errors"],
        };
        let code = errors[0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no refusal: {message}")).to_owned()
    }

    /// The code it is closed with, whatever comes before; fails when it stays open.
    pub async fn close_code(&mut self) -> u16 {
        let closing = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code),
                    Some(Ok(_)) => {}
                    other => panic!("gone without a word: {other:?}"),
                }
            }
        };
        timeout(ANSWER_WITHIN, closing).await.expect("it was to be closed")
    }
}
