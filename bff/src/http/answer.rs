//! An answer on its way out: every error coded and kept small, the whole written once into one buffer.

use std::collections::BTreeMap;

use async_graphql::{Response, ServerError, Value};
use axum::body::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use moim_kit::Code;
use serde::Serialize;

use super::complete::complete;
use super::edge::Refusal;
use super::measured::{self, Measured};
use super::profile::{MediaType, Profile};
use super::types::Types;
use crate::guard::{EdgeCode, Inspected, Rejection, coded};

/// Errors in one answer; ten or more are what scanners look for.
const MAX_ERRORS: usize = 9;
const MAX_MESSAGE_CHARS: usize = 300;
const MASKED: &str = "Something went wrong.";

/// What one operation came to.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub errors: Vec<ServerError>,
    /// None when nothing was executed.
    pub data: Option<Value>,
    pub extensions: BTreeMap<String, Value>,
    pub headers: HeaderMap,
    refused: Option<StatusCode>,
    /// Ends with the reply.
    pub measured: Option<Measured>,
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl From<Rejection> for Reply {
    fn from(rejection: Rejection) -> Self {
        measured::refused(rejection.code.name());
        let mut error = rejection.into_error();
        shorten(&mut error.message);
        Self { errors: vec![error], ..Self::default() }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        measured::refused(refusal.code);
        let mut error = ServerError::new(refusal.message, None);
        let extensions = error.extensions.get_or_insert_default();
        for (name, value) in refusal.extensions {
            extensions.set(name, value);
        }
        extensions.set("code", refusal.code);
        Self {
            errors: vec![error],
            headers: refusal.headers,
            refused: Some(refusal.status),
            ..Self::default()
        }
    }
}

/// Gives an error of the library a code, or masks it.
fn settle(error: &mut ServerError) {
    let known = error.extensions.as_ref().is_some_and(|extensions| match extensions.get("code") {
        Some(Value::String(code)) => is_listed(code),
        _ => false,
    });
    if !known {
        let bare = ServerError { extensions: None, source: None, ..error.clone() };
        *error = if error.path.is_empty() {
            coded(bare, EdgeCode::ValidationFailed)
        } else if is_input_error(&error.message) {
            coded(bare, EdgeCode::Invalid)
        } else {
            tracing::error!(error = error.message, path = ?error.path, "resolver failed without a code");
            coded(ServerError { message: MASKED.to_owned(), ..bare }, EdgeCode::Internal)
        };
    }
    shorten(&mut error.message);
}

fn shorten(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
        message.truncate(end);
    }
}

/// Whether a code is one that clients are told of.
fn is_listed(code: &str) -> bool {
    EdgeCode::from_name(code).is_some() || Code::from_name(code).is_some()
}

/// The library tells an argument that its type refused from a failure of a resolver by its words only.
fn is_input_error(message: &str) -> bool {
    message.starts_with("Failed to parse \"")
        || message.starts_with("Expected input type \"")
        || message.starts_with("Variable ")
}

impl Reply {
    /// What the library came to.
    pub(super) fn of(response: Response, inspected: &Inspected, types: &Types) -> Self {
        let Response { mut data, extensions, mut errors, http_headers, .. } = response;
        // The library leaves data null in both cases; only what failed while running has a path.
        let executed = errors.is_empty()
            || data != Value::Null
            || errors.iter().any(|error| !error.path.is_empty());
        if executed {
            complete(&mut data, &errors, &inspected.outline, inspected.kind, types);
        }
        errors.truncate(MAX_ERRORS);
        errors.iter_mut().for_each(settle);
        let data = executed.then_some(data);
        let (refused, measured) = (None, None);
        let reply = Self { errors, data, extensions, headers: http_headers, refused, measured };
        if !executed {
            measured::refused(reply.code().name());
        }
        reply
    }

    /// Puts the trace into every error.
    pub(super) fn trace(&mut self, trace_id: &str) {
        for error in &mut self.errors {
            error.extensions.get_or_insert_default().set("traceId", trace_id);
        }
    }

    /// True for a caller whose token is not good (any more).
    pub(super) fn is_unauthenticated(&self) -> bool {
        self.refused == Some(StatusCode::UNAUTHORIZED)
    }

    /// True for what is an answer in GraphQL, be it an error; false for what was turned away before.
    pub(super) fn reached_graphql(&self) -> bool {
        self.data.is_some() || (self.refused.is_none() && Profile::is_graphql(self.code()))
    }

    /// The body.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let wire =
            Wire { errors: &self.errors, data: self.data.as_ref(), extensions: &self.extensions };
        let mut body = Vec::with_capacity(1_024);
        match serde_json::to_writer(&mut body, &wire) {
            Ok(()) => body,
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                br#"{"errors":[{"message":"Something went wrong.","extensions":{"code":"INTERNAL"}}]}"#
                    .to_vec()
            }
        }
    }

    /// In place of an answer above its limit.
    pub(super) fn too_large() -> Self {
        let message = "The answer is too large; ask for less at once.";
        Rejection::new(EdgeCode::AnswerTooLarge, message).into()
    }

    /// The errors alone, as `error` messages over WebSocket carry them.
    pub(super) fn errors_to_json(&self) -> String {
        serde_json::to_string(&self.errors).unwrap_or_else(|_| "[]".to_owned())
    }

    /// The HTTP answer; one above `limit` bytes is replaced by an error.
    pub(super) fn into_http(
        self,
        profile: Profile,
        media: MediaType,
        limit: usize,
    ) -> http::Response<Body> {
        let body = self.to_json();
        if body.len() > limit && self.data.is_some() {
            let Self { headers, measured, .. } = self;
            let reply = Self { headers, measured, ..Self::too_large() };
            return reply.into_http(profile, media, usize::MAX);
        }
        let (status, media) = self.status(profile, media);
        let mut response = http::Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media.header());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        headers.extend(self.headers);
        response
    }

    fn status(&self, profile: Profile, media: MediaType) -> (StatusCode, MediaType) {
        if self.data.is_some() {
            return profile.executed(media, !self.errors.is_empty());
        }
        let (status, media) = profile.refused(media, self.code());
        (self.refused.unwrap_or(status), media)
    }

    /// Of its first error.
    pub(super) fn code(&self) -> EdgeCode {
        let extensions = self.errors.first().and_then(|error| error.extensions.as_ref());
        match extensions.and_then(|extensions| extensions.get("code")) {
            Some(Value::String(name)) => {
                EdgeCode::from_name(name).unwrap_or(EdgeCode::ValidationFailed)
            }
            _ => EdgeCode::ValidationFailed,
        }
    }
}
