//! Messages and close codes of graphql-transport-ws
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::answer::Reply;
use super::params::Params;

/// The sub-protocol's name.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// Why a socket is closed; a reason has at most 123 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub code: u16,
    pub reason: &'static str,
}

impl Close {
    pub(super) const GOING_AWAY: Self = Self::new(1001, "Going away");
    pub(super) const SILENT: Self = Self::new(1001, "No sign of life");
    pub(super) const BROKEN: Self = Self::new(1002, "Protocol error");
    pub(super) const NOT_UTF8: Self = Self::new(1007, "Not UTF-8");
    pub(super) const TOO_BIG: Self = Self::new(1009, "Message too big");
    pub(super) const TRY_LATER: Self = Self::new(1013, "Try again later");
    pub(super) const TOO_MANY_SOCKETS: Self = Self::new(1013, "Too many sockets of this member");
    pub(super) const BAD_MESSAGE: Self = Self::new(4400, "Invalid message");
    pub(super) const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    pub(super) const FORBIDDEN: Self = Self::new(4403, "Forbidden");
    pub(super) const INIT_TIMEOUT: Self = Self::new(4408, "Connection initialisation timeout");
    pub(super) const SUBSCRIBER_EXISTS: Self = Self::new(4409, "Subscriber already exists");
    pub(super) const TOO_MANY_INITS: Self = Self::new(4429, "Too many initialisation requests");
    pub(super) const TOO_MANY_MESSAGES: Self = Self::new(4429, "Too many messages");
    pub(super) const SLOW_CONSUMER: Self = Self::new(4499, "Slow consumer");

    const fn new(code: u16, reason: &'static str) -> Self {
        assert!(reason.len() <= 123, "a control frame has room for 123 bytes of reason");
        Self { code, reason }
    }
}

/// What a client may say.
#[derive(Debug)]
pub(super) enum Said {
    Init(Option<Value>),
    Ping(Option<Value>),
    Pong,
    Subscribe { id: String, params: Params },
    Complete { id: String },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Wire {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong {},
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

impl Said {
    /// Reads a text message.
    pub(super) fn parse(text: &str, max_id_bytes: usize) -> Result<Self, Close> {
        let object = |payload: Option<Value>| match payload {
            None | Some(Value::Object(_)) => Ok(payload),
            Some(_) => Err(Close::BAD_MESSAGE),
        };
        match serde_json::from_str(text).map_err(|_| Close::BAD_MESSAGE)? {
            Wire::ConnectionInit { payload } => Ok(Self::Init(object(payload)?)),
            Wire::Ping { payload } => Ok(Self::Ping(object(payload)?)),
            Wire::Pong {} => Ok(Self::Pong),
            Wire::Subscribe { id, payload } => {
                if id.is_empty() || id.len() > max_id_bytes {
                    return Err(Close::BAD_MESSAGE);
                }
                let params = Params::from_value(payload).map_err(|_| Close::BAD_MESSAGE)?;
                Ok(Self::Subscribe { id, params })
            }
            Wire::Complete { id } => Ok(Self::Complete { id }),
        }
    }
}

/// The token in a `connection_init`, as the `authorization` header would carry it.
pub(super) fn token(payload: &Value) -> Option<String> {
    let fields = payload.as_object()?;
    let text = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.as_str())
    };
    let bearer = || text("accessToken").map(|token| format!("Bearer {token}"));
    text("authorization").map(str::to_owned).or_else(bearer)
}

pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;

pub(super) fn pong(payload: Option<&Value>) -> String {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        None => r#"{"type":"pong"}"#.to_owned(),
    }
}

pub(super) fn next(id: &str, reply: &Reply) -> String {
    let payload = String::from_utf8(reply.to_json()).unwrap_or_default();
    message("next", id, Some(&payload))
}

pub(super) fn error(id: &str, reply: &Reply) -> String {
    message("error", id, Some(&reply.errors_to_json()))
}

pub(super) fn complete(id: &str) -> String {
    message("complete", id, None)
}

fn message(kind: &str, id: &str, payload: Option<&str>) -> String {
    let mut text = String::with_capacity(64 + payload.map_or(0, str::len));
    // Writing to a string cannot fail.
    let _ = write!(text, r#"{{"id":{},"type":"{kind}""#, Value::from(id));
    if let Some(payload) = payload {
        let _ = write!(text, r#","payload":{payload}"#);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_the_protocol_are_read() {
        let read = |text: &str| Said::parse(text, 64).map(|_| ());
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"ping","payload":{"at":1}}"#,
            r#"{"type":"pong","unknown":1}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":{"n":1.5}}}"#,
            r#"{"id":"1","type":"complete"}"#,
        ] {
            assert_eq!(read(text), Ok(()), "{text}");
        }
        let long_id = format!(
            r#"{{"id":"{}","type":"subscribe","payload":{{"query":"{{a}}"}}}}"#,
            "x".repeat(65)
        );
        for text in [
            "",
            "null",
            "[]",
            r#"{"type":"next"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"","type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":1,"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"1","type":"subscribe","payload":{}}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":[]}}"#,
            long_id.as_str(),
        ] {
            assert_eq!(read(text), Err(Close::BAD_MESSAGE), "{text}");
        }
    }

    #[test]
    fn the_token_is_found_under_either_name() {
        for (payload, expected) in [
            (serde_json::json!({ "Authorization": "Bearer a" }), Some("Bearer a")),
            (serde_json::json!({ "accessToken": "a" }), Some("Bearer a")),
            (serde_json::json!({ "accessToken": 1 }), None),
            (serde_json::json!({}), None),
        ] {
            assert_eq!(token(&payload).as_deref(), expected);
        }
    }

    #[test]
    fn ids_are_escaped() {
        assert_eq!(complete("a\"b"), r#"{"id":"a\"b","type":"complete"}"#);
    }
}
