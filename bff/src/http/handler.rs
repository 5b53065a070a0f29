//! GraphQL over HTTP: methods, media types, sizes and time, and only then GraphQL.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::accept::{self, Streams, negotiate, wants_page};
use super::address::Address;
use super::answer::Reply;
use super::console;
use super::cors;
use super::edge::{Edge, Via};
use super::engine::{Engine, Sender};
use super::params::Params;
use super::sse;
use super::ws;
use crate::guard::{EdgeCode, Rejection};

/// Any of these makes a browser ask first whether a foreign page may send the request.
const PREFLIGHT_HEADERS: [&str; 4] = [
    "x-moim-csrf",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
];

/// Everything that comes to `/graphql`.
pub(super) async fn graphql<X: Executor, E: Edge>(
    State(engine): State<Arc<Engine<X, E>>>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.headers.get(UPGRADE).map(HeaderValue::as_bytes).unwrap_or_default();
    if parts.method == Method::GET && upgrade.eq_ignore_ascii_case(b"websocket") {
        return ws::upgrade(engine, parts).await;
    }
    let origin = match cors::judge(&parts, &engine.settings.origins) {
        Ok(origin) => origin,
        Err(rejection) => return refuse(&engine, &parts.headers, rejection),
    };
    let mut response = match (&parts.method, &origin) {
        (&Method::OPTIONS, Some(_)) => cors::preflight(),
        _ => answer(&engine, &mut parts, body).await,
    };
    cors::mark(&mut response, origin);
    response
}

async fn answer<X: Executor, E: Edge>(
    engine: &Arc<Engine<X, E>>,
    parts: &mut Parts,
    body: Body,
) -> Response {
    let settings = &engine.settings;
    if let (Some(console), &Method::GET, true) =
        (&settings.console, &parts.method, wants_page(&parts.headers))
        && parts.uri.query().is_none()
    {
        return console::page(console);
    }
    let streams = accept::streams(&parts.headers);
    let media = negotiate(&parts.headers, settings.profile);
    let Some(media) = media.or((streams != Streams::No).then_some(settings.profile.usual())) else {
        let message = "Only application/json and application/graphql-response+json can be sent.";
        let rejection = Rejection::new(EdgeCode::NotAcceptable, message);
        return refuse(engine, &parts.headers, rejection);
    };
    let reply = match params(engine, parts, body).await {
        Ok(params) => match run(engine, parts, params, streams).await {
            Ran::Stream(response) => return response,
            Ran::Reply(reply) if streams == Streams::Preferred && reply.reached_graphql() => {
                return sse::whole(reply, settings.answer_bytes);
            }
            Ran::Reply(reply) => reply,
        },
        Err(rejection) => rejection.into(),
    };
    reply.into_http(settings.profile, media, settings.answer_bytes)
}

/// An answer to someone whose wishes about media types do not matter or cannot be met.
fn refuse<X, E>(engine: &Engine<X, E>, headers: &HeaderMap, rejection: Rejection) -> Response {
    let settings = &engine.settings;
    let media = negotiate(headers, settings.profile).unwrap_or(settings.profile.usual());
    Reply::from(rejection).into_http(settings.profile, media, settings.answer_bytes)
}

async fn params<X, E>(
    engine: &Engine<X, E>,
    parts: &Parts,
    body: Body,
) -> Result<Params, Rejection> {
    let settings = &engine.settings;
    let url = parts.uri.path_and_query().map_or(0, |url| url.as_str().len());
    if url > settings.url_bytes {
        return Err(Rejection::new(EdgeCode::UrlTooLong, "The URL is too long; use POST."));
    }
    match parts.method {
        Method::GET => {
            check_preflight(&parts.headers, settings.strict_get)?;
            Params::from_url(parts.uri.query().unwrap_or_default())
        }
        Method::POST => {
            check_content(&parts.headers)?;
            let body = read(body, settings.body_bytes, settings.limits.body).await?;
            Params::from_json(&body)
        }
        _ => Err(Rejection::new(EdgeCode::MethodNotAllowed, "Use POST, or GET for queries.")),
    }
}

/// What came of a request.
enum Ran {
    Reply(Reply),
    Stream(Response),
}

async fn run<X: Executor, E: Edge>(
    engine: &Arc<Engine<X, E>>,
    parts: &Parts,
    params: Params,
    streams: Streams,
) -> Ran {
    let Ok(_running) = engine.running.try_acquire() else {
        let message = "Too many requests are running.";
        return Ran::Reply(Rejection::new(EdgeCode::Overloaded, message).into());
    };
    let inspected = match engine.inspect(&params) {
        Ok(inspected) => inspected,
        Err(rejection) => return Ran::Reply(rejection.into()),
    };
    let address = parts.extensions.get::<Address>().map(|address| address.0);
    let sender = Sender { headers: &parts.headers, address, via: Via::Http };
    match inspected.kind {
        OperationType::Mutation if parts.method == Method::GET => {
            let message = "Mutations must be sent by POST.";
            return Ran::Reply(Rejection::new(EdgeCode::MethodNotAllowed, message).into());
        }
        OperationType::Subscription if streams == Streams::No => {
            let message = "Subscriptions are answered over WebSocket (graphql-transport-ws), or as \
                           text/event-stream to those who accept it.";
            return Ran::Reply(Rejection::new(EdgeCode::ValidationFailed, message).into());
        }
        OperationType::Subscription => {
            return match sse::follow(engine, params, &inspected, sender).await {
                Ok(response) => Ran::Stream(response),
                Err(reply) => Ran::Reply(reply),
            };
        }
        _ => {}
    }
    Ran::Reply(engine.answer(params, &inspected, sender).await)
}

/// A foreign page can make a browser send a plain GET, with cookies, and measure what it does.
fn check_preflight(headers: &HeaderMap, strict: bool) -> Result<(), Rejection> {
    if PREFLIGHT_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Ok(());
    }
    // Browsers say where a request comes from; other programs are not led by foreign pages.
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let foreign = matches!(site, Some(site) if site != b"same-origin" && site != b"none");
    if strict || foreign {
        let message = "Send the header x-moim-csrf with GET requests, or use POST.";
        return Err(Rejection::new(EdgeCode::PreflightRequired, message));
    }
    Ok(())
}

fn check_content(headers: &HeaderMap) -> Result<(), Rejection> {
    let refuse =
        |message: &'static str| Err(Rejection::new(EdgeCode::UnsupportedMediaType, message));
    if headers.contains_key(CONTENT_ENCODING) {
        return refuse("Compressed requests are not read.");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else {
        return refuse("Send the body as application/json.");
    };
    let kind = kind.to_str().unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return refuse("Send the body as application/json.");
    }
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        let utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
        if name.trim().eq_ignore_ascii_case("charset") && !utf8 {
            return refuse("Send the body in UTF-8.");
        }
    }
    Ok(())
}

/// Refuses by the announced length when there is one, else as soon as the limit is passed.
pub(super) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Rejection> {
    let too_large = || Rejection::new(EdgeCode::BodyTooLarge, "The body is too large.");
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match timeout(within, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Rejection::new(EdgeCode::MalformedBody, "The body broke off.")),
        Err(_) => Err(Rejection::new(EdgeCode::RequestTimeout, "The body came too slowly.")),
    }
}
