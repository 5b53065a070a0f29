//! Which document a request means, in each of the ways in which clients say so.

use async_graphql::{Extensions, Value};

use crate::guard::{EdgeCode, Rejection};

/// A document as a request names it: by its text, by an id, or by both.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The text itself.
    pub text: Option<String>,
    /// From `documentId`, `doc_id` or `id`.
    pub named: Option<String>,
    /// From `extensions.persistedQuery`.
    pub persisted: Option<String>,
}

impl Wanted {
    /// From the parameters of a request; one that names no document at all is refused.
    pub fn of(
        text: Option<String>,
        named: Option<String>,
        extensions: &Extensions,
    ) -> Result<Self, Rejection> {
        let persisted = extensions.get("persistedQuery").map(hash).transpose()?;
        if text.is_none() && named.is_none() && persisted.is_none() {
            return Err(malformed("The parameter `query` is missing."));
        }
        Ok(Self { text, named, persisted })
    }

    /// The id as lists hold it: a SHA-256 without its prefix.
    pub(super) fn id(&self) -> Option<&str> {
        self.named.as_deref().or(self.persisted.as_deref()).map(bare)
    }
}

/// An id without the prefix that says what it is.
pub(super) fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

fn hash(value: &Value) -> Result<String, Rejection> {
    let Value::Object(fields) = value else {
        return Err(malformed("`persistedQuery` must be an object."));
    };
    if fields.get("version") != Some(&Value::from(1)) {
        return Err(malformed("This version of persisted queries is not known."));
    }
    match fields.get("sha256Hash") {
        Some(Value::String(hash)) => Ok(hash.clone()),
        _ => Err(malformed("`persistedQuery` has no `sha256Hash`.")),
    }
}

fn malformed(message: &'static str) -> Rejection {
    Rejection::new(EdgeCode::MalformedRequest, message)
}
