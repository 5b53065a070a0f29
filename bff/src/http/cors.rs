//! Pages of other origins: those on the list may ask, the others are turned away before anything runs.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST,
    ORIGIN, VARY,
};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, StatusCode};

use crate::guard::{EdgeCode, Rejection};

/// The listed origin a request comes from; None when it comes from our own pages or from no page.
pub(super) fn judge(parts: &Parts, listed: &[String]) -> Result<Option<HeaderValue>, Rejection> {
    let Some(origin) = parts.headers.get(ORIGIN) else { return Ok(None) };
    let name = origin.to_str().unwrap_or_default();
    if listed.iter().any(|known| known == name) {
        return Ok(Some(origin.clone()));
    }
    // HTTP/2 names the host in the URL.
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(Authority::as_str));
    let own = name.split_once("://").map(|(_, authority)| authority);
    if own.is_some() && own == host {
        return Ok(None);
    }
    Err(Rejection::new(EdgeCode::OriginRefused, "Pages of this origin may not ask here."))
}

/// Answers a browser that asks first.
pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "accept, authorization, content-type, x-moim-csrf, x-moim-seen, x-moim-bill, traceparent, \
             graphql-require-preflight, apollo-require-preflight, x-apollo-operation-name",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets a listed origin read the answer.
pub(super) fn mark(response: &mut Response, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-moim-seen, x-trace-id, retry-after"),
        );
    }
}
