//! A WebSocket client that sends what it is told, right or wrong.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stand::{PATIENCE, Stand};

pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Stand {
    /// Asks for a socket with these headers; else the status it was refused with.
    pub async fn upgrade(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                assert_eq!(protocol.unwrap(), "graphql-transport-ws");
                Ok(Socket(stream))
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A socket that said nothing yet.
    pub async fn socket(&self) -> Socket {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        self.upgrade(&protocol).await.ok().unwrap()
    }

    /// A socket that is initialised.
    pub async fn ready_socket(&self) -> Socket {
        self.socket_of(Value::Null).await
    }

    pub async fn socket_of(&self, payload: Value) -> Socket {
        let mut socket = self.socket().await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }
}

impl Socket {
    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Anything but pings, which are answered on the side.
    pub async fn frame(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("nothing came") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn hear(&mut self) -> Value {
        let frame = self.frame().await.expect("the socket ended");
        serde_json::from_str(frame.to_text().unwrap()).unwrap_or_else(|_| panic!("{frame:?}"))
    }

    /// The next message of an operation, which must be of this kind.
    pub async fn hear_of(&mut self, id: &str, kind: &str) -> Value {
        let message = self.hear().await;
        assert_eq!((&message["id"], &message["type"]), (&json!(id), &json!(kind)), "{message}");
        message["payload"].clone()
    }

    /// Reads up to the close frame; its code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        while let Some(frame) = self.frame().await {
            if let Message::Close(frame) = frame {
                let frame = frame.expect("closed without a code");
                assert!(frame.reason.len() <= 123);
                return (frame.code.into(), frame.reason.to_string());
            }
        }
        panic!("the connection broke off without a close frame");
    }
}
