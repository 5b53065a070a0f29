//! The parameters of a GraphQL-over-HTTP request, read from a body or a URL.

use async_graphql::{Extensions, Variables};
use moim_kit::metrics;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::form_urlencoded;

use crate::documents::Wanted;
use crate::guard::{EdgeCode, Rejection};

/// What a client asks to be executed.
#[derive(Debug)]
pub(super) struct Params {
    /// When they were read, when anybody wants to know.
    pub read_at: Option<Instant>,
    pub wanted: Wanted,
    pub operation_name: Option<String>,
    pub variables: Variables,
    pub extensions: Extensions,
}

/// Every parameter may be null; other properties are ignored, as the specification asks.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<Extensions>,
    /// Two names that Relay's clients use; to others they may mean something else.
    #[serde(rename = "doc_id")]
    relay_id: Option<serde_json::Value>,
    #[serde(rename = "id")]
    short_id: Option<serde_json::Value>,
}

impl Params {
    /// Reads a body of `application/json`.
    pub(super) fn from_json(body: &[u8]) -> Result<Self, Rejection> {
        // An array would be read as the object's fields in order, so it is told apart first.
        if body.trim_ascii_start().first() == Some(&b'[') {
            let message = "Batches are not answered; send one request at a time.";
            return Err(Rejection::new(EdgeCode::BatchRefused, message));
        }
        Self::from_wire(json(body)?)
    }

    /// Reads an object that was parsed already, as it stands in messages over WebSocket.
    pub(super) fn from_value(value: serde_json::Value) -> Result<Self, Rejection> {
        if !value.is_object() {
            return Err(malformed("The payload must be an object."));
        }
        let wire = serde_json::from_value(value);
        Self::from_wire(wire.map_err(|_| malformed("A parameter is of the wrong type."))?)
    }

    /// Reads the query component of a URL.
    pub(super) fn from_url(query: &str) -> Result<Self, Rejection> {
        let mut wire = Wire::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // Empty is absent, except for the document itself.
            if value.is_empty() && name != "query" {
                continue;
            }
            match &*name {
                "query" => once(&mut wire.query, value.into_owned())?,
                "documentId" => once(&mut wire.document_id, value.into_owned())?,
                "doc_id" => once(&mut wire.relay_id, value.into_owned().into())?,
                "id" => once(&mut wire.short_id, value.into_owned().into())?,
                "operationName" => once(&mut wire.operation_name, value.into_owned())?,
                "variables" => once(&mut wire.variables, json(value.as_bytes())?)?,
                "extensions" => {
                    if let Some(extensions) = json(value.as_bytes())? {
                        once(&mut wire.extensions, extensions)?;
                    }
                }
                _ => {}
            }
        }
        Self::from_wire(wire)
    }

    fn from_wire(wire: Wire) -> Result<Self, Rejection> {
        let extensions = wire.extensions.unwrap_or_default();
        let text = |value| match value {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        // Beside a text these are properties like any other, which the specification asks to ignore.
        let short = || text(wire.relay_id).or_else(|| text(wire.short_id));
        let named = wire.document_id.or_else(|| wire.query.is_none().then(short).flatten());
        Ok(Self {
            read_at: metrics::now(),
            wanted: Wanted::of(wire.query, named, &extensions)?,
            operation_name: wire.operation_name,
            variables: wire.variables.unwrap_or_default(),
            extensions,
        })
    }
}

fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Rejection> {
    serde_json::from_slice(text).map_err(|error| {
        if error.is_data() {
            malformed("A parameter is of the wrong type.")
        } else {
            Rejection::new(EdgeCode::MalformedBody, "This is not JSON.")
        }
    })
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Rejection> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("A parameter was given twice.")),
    }
}

fn malformed(message: &'static str) -> Rejection {
    Rejection::new(EdgeCode::MalformedRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<Params, Rejection>) -> Option<EdgeCode> {
        result.err().map(|rejection| rejection.code)
    }

    #[test]
    fn bodies_are_read_or_refused_with_a_code() {
        use EdgeCode::{BatchRefused, MalformedBody, MalformedRequest};
        for (body, expected) in [
            (r#"{"query":"{a}"}"#, None),
            (r#"{"query":"{a}","variables":null,"operationName":null,"extensions":null}"#, None),
            (r#"{"query":"","unknown":[1]}"#, None),
            (r#" [{"query":"{a}"}]"#, Some(BatchRefused)),
            (r#""query""#, Some(MalformedRequest)),
            (r#"{"documentId":"a"}"#, None),
            (r#"{"doc_id":"a"}"#, None),
            (r#"{"id":"a","variables":{}}"#, None),
            (r#"{"query":"{a}","id":{"of":"something else"}}"#, None),
            (r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"a"}}}"#, None),
            (r#"{"id":5}"#, Some(MalformedRequest)),
            (r#"{"documentId":5}"#, Some(MalformedRequest)),
            (r#"{"extensions":{"persistedQuery":null}}"#, Some(MalformedRequest)),
            (
                r#"{"query":"{a}","extensions":{"persistedQuery":{"version":2,"sha256Hash":"a"}}}"#,
                Some(MalformedRequest),
            ),
            (r#"{"extensions":{"persistedQuery":{"version":1}}}"#, Some(MalformedRequest)),
            (r#"{"query":null}"#, Some(MalformedRequest)),
            (r#"{"query":1}"#, Some(MalformedRequest)),
            (r#"{"query":"{a}","variables":[]}"#, Some(MalformedRequest)),
            (r#"{"query":"{a}","extensions":"x"}"#, Some(MalformedRequest)),
            (r#"{"query":"{a}","operationName":{}}"#, Some(MalformedRequest)),
            (r#"{"query":"{a}","query":"{b}"}"#, Some(MalformedRequest)),
            (r#"{"query":"{a}"} x"#, Some(MalformedBody)),
            (r#"{"query":"\ud800"}"#, Some(MalformedBody)),
            (r#"{"query":"{a}","variables":{"n":1e999}}"#, Some(MalformedBody)),
            ("{", Some(MalformedBody)),
            ("", Some(MalformedBody)),
        ] {
            assert_eq!(code(Params::from_json(body.as_bytes())), expected, "{body}");
        }
        let deep = format!(r#"{{"query":"{{a}}","variables":{{"v":{}}}}}"#, "[".repeat(5_000));
        assert_eq!(code(Params::from_json(deep.as_bytes())), Some(MalformedBody));
        assert_eq!(code(Params::from_json(b"{\"query\":\"\xff\"}")), Some(MalformedBody));
    }

    #[test]
    fn urls_are_read_or_refused_with_a_code() {
        let params = Params::from_url(
            "query=%7Ba%7D&operationName=&variables=%7B%22n%22%3A1%7D&extensions=null&x=1",
        )
        .unwrap();
        assert_eq!((params.wanted.text.as_deref(), params.operation_name), (Some("{a}"), None));
        assert_eq!(params.variables.len(), 1);
        let named = Params::from_url("documentId=sha256%3Aab&variables=%7B%7D").unwrap();
        assert_eq!(named.wanted.named.as_deref(), Some("sha256:ab"));
        for (url, expected) in [
            ("", EdgeCode::MalformedRequest),
            ("query=a&query=b", EdgeCode::MalformedRequest),
            ("query=a&variables=1", EdgeCode::MalformedRequest),
            ("query=a&extensions=%5B%5D", EdgeCode::MalformedRequest),
            ("query=a&variables=%7B", EdgeCode::MalformedBody),
        ] {
            assert_eq!(code(Params::from_url(url)), Some(expected), "{url}");
        }
    }
}
