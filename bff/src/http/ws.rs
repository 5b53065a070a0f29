//! From an HTTP request to a socket: origin, sub-protocol, how many, and then a task of its own.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use tokio::sync::oneshot;

use super::address::Address;
use super::answer::Reply;
use super::cors;
use super::edge::Edge;
use super::engine::Engine;
use super::places::Full;
use super::profile::MediaType;
use super::ws_protocol::PROTOCOL;
use super::ws_session::Session;
use crate::guard::{EdgeCode, Rejection};

/// What sockets may do.
#[derive(Clone, Debug)]
pub struct SocketLimits {
    /// For `connection_init` to arrive and be answered; then 4408.
    pub init: Duration,
    /// Between pings of ours.
    pub ping: Duration,
    /// Without a sign of life.
    pub dead: Duration,
    /// For one message to be taken; then 4499.
    pub send: Duration,
    /// For a closed socket to say so.
    pub close: Duration,
    /// Bytes of a message or frame; then 1009.
    pub message_bytes: usize,
    /// Bytes of an operation's id; then 4400.
    pub id_bytes: usize,
    /// Operations of one socket at once; the next gets an error.
    pub operations: usize,
    /// Messages at once; then 4429.
    pub burst: u32,
    /// Messages a second in the long run; then 4429.
    pub per_second: u32,
    /// Sockets and streams open at once; then 503.
    pub sockets: usize,
    /// Of them those of one member; then 1013, or 429 for a stream.
    pub per_member: usize,
    /// Of them those of strangers of one address; then 429.
    pub per_address: usize,
    /// Between looks at whether the token is still good.
    pub recheck: Duration,
    /// Between signs of life on a stream that has nothing to say.
    pub keep_alive: Duration,
    /// Over which sockets and streams are told to go once the program stops.
    pub stop_spread: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            init: Duration::from_secs(3),
            ping: Duration::from_secs(15),
            dead: Duration::from_secs(30),
            send: Duration::from_secs(5),
            close: Duration::from_secs(1),
            message_bytes: 64 * 1024,
            id_bytes: 64,
            operations: 50,
            burst: 200,
            per_second: 50,
            sockets: 8_192,
            per_member: 5,
            per_address: 20,
            recheck: Duration::from_secs(1),
            keep_alive: Duration::from_secs(12),
            stop_spread: Duration::from_secs(3),
        }
    }
}

/// Answers a request to become a socket.
pub(super) async fn upgrade<X: Executor, E: Edge>(
    engine: Arc<Engine<X, E>>,
    mut parts: Parts,
) -> Response {
    let settings = &engine.settings;
    let refuse = |code, message: &'static str| {
        Reply::from(Rejection::new(code, message)).into_http(
            settings.profile,
            MediaType::Json,
            settings.answer_bytes,
        )
    };
    if cors::judge(&parts, &settings.origins).is_err() {
        return refuse(EdgeCode::OriginRefused, "Pages of this origin may not ask here.");
    }
    let offered = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered =
        offered.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    if !offered.any(|name| name.trim() == PROTOCOL) {
        return refuse(EdgeCode::MalformedBody, "Ask for the sub-protocol graphql-transport-ws.");
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let address = parts.extensions.get::<Address>().map(|address| address.0);
    let place = match engine.places.take(address) {
        Ok(place) => place,
        Err(Full::Everywhere) => return refuse(EdgeCode::Overloaded, "Too many sockets are open."),
        Err(Full::Theirs) => {
            let message = "Too many sockets of this address are open without a token.";
            return refuse(EdgeCode::RateLimited, message);
        }
    };
    if engine.tasks.parting().is_cancelled() {
        return refuse(EdgeCode::Overloaded, "The program is stopping.");
    }

    let limits = &settings.socket;
    let (hand_over, handed_over) = oneshot::channel();
    let mut headers = parts.headers;
    detach(&mut headers);
    let tasks = engine.tasks.clone();
    let response = upgrade
        .protocols([PROTOCOL])
        // Held for as long as the socket is open, however quiet it is.
        .read_buffer_size(2_048)
        .max_message_size(limits.message_bytes)
        .max_frame_size(limits.message_bytes)
        .max_write_buffer_size(2 * settings.answer_bytes + 256 * 1024)
        // axum would run the session on a task nobody knows; ours can be waited for.
        .on_upgrade(async move |socket| drop(hand_over.send(socket)));
    tasks.host("graphql socket", async move {
        if let Ok(socket) = handed_over.await {
            // Boxed, for a future holds what it was called with twice: as it came and as it is used.
            Box::new(Session::new(engine, socket, headers, address, place)).run().await;
        }
    });
    response
}

/// Copies what came in the connection's read buffer, all of which a socket would keep for its life.
fn detach(headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
}
