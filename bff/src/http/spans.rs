//! Spans at the edge: one per request over HTTP, one per operation whatever it came by, none per field.

use std::borrow::Cow;

use async_graphql::Value;
use async_graphql::parser::types::OperationType;
use http::{Method, Request, Response, Version};
use moim_kit::trace::{self, Kind, Span};

use super::answer::Reply;
use super::edge::Via;
use super::engine::Sender;
use crate::guard::{Inspected, Rejection};

/// Paths that are told; of others, which anybody may make up, and of links that are a right, nothing is.
const ROUTES: [&str; 2] = ["/graphql", "/webhooks/payment"];
/// Asked every few seconds by those who watch over processes.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];
const CALENDAR: &str = "/calendar/{file}";

/// The span of a request; none for probes.
pub(super) fn request<B>(request: &Request<B>) -> Option<Span> {
    let path = request.uri().path();
    if PROBES.contains(&path) {
        return None;
    }
    let mut span = Span::continued(traceparent(request.headers()), Kind::Server, "HTTP");
    span.record(|it| {
        let method = method(request.method());
        it.set("http.request.method", method);
        it.set("url.scheme", "http");
        it.set("network.protocol.version", version(request.version()));
        let known = ROUTES.into_iter().find(|route| *route == path);
        let calendar = || path.starts_with("/calendar/").then_some(CALENDAR);
        match known.or_else(calendar) {
            Some(route) => {
                it.name(format!("{method} {route}"));
                it.set("http.route", route);
                it.set("url.path", route);
            }
            None => it.name(method),
        }
    });
    Some(span)
}

/// How a request was answered.
pub(super) fn responded<B>(span: &mut Span, response: &Response<B>) {
    span.record(|it| {
        let status = response.status();
        it.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            it.fail(status.as_str().to_owned());
        }
    });
}

/// The span of an operation, within that of its request; over a socket, which may last for hours, by itself.
pub(super) fn operation(inspected: &Inspected, sender: Sender<'_>) -> Span {
    let kind = match inspected.kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let here = trace::current().filter(|_| sender.via == Via::Http);
    let mut span = match here {
        Some(request) => Span::of(request, Kind::Internal, kind),
        None => Span::continued(traceparent(sender.headers), Kind::Server, kind),
    };
    span.record(|it| {
        it.set("graphql.operation.type", kind);
        if let Some(name) = &inspected.name {
            it.name(format!("{kind} {name}"));
            it.set("graphql.operation.name", name.to_string());
        }
    });
    span
}

/// How an operation ended: by the code of its first error, for all of them may be told at once.
pub(super) fn answered(span: &mut Span, reply: &Reply) {
    let Some(error) = reply.errors.first() else { return };
    span.record(|it| {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        let code: Cow<'static, str> = match code {
            Some(Value::String(code)) => Cow::Owned(code.clone()),
            _ => Cow::Borrowed("INTERNAL"),
        };
        it.fail(code);
    });
}

/// A document as it is found, measured and let in or refused.
pub(super) fn guarded<T>(inspect: impl FnOnce() -> Result<T, Rejection>) -> Result<T, Rejection> {
    let mut span = Span::here(Kind::Internal, "guard");
    let inspected = inspect();
    if let (Some(span), Err(rejection)) = (&mut span, &inspected) {
        span.record(|it| it.fail(rejection.code.name()));
    }
    inspected
}

fn traceparent(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(trace::HEADER).and_then(|value| value.to_str().ok())
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

fn version(version: Version) -> &'static str {
    if version == Version::HTTP_2 { "2" } else { "1.1" }
}
