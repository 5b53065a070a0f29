//! The floor: the same answers by hand, from the same calls over the same wires, without GraphQL.

mod answers;
mod shapes;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moim_bff::Upstream;
use moim_kit::seen::{self, Seen};
use moim_kit::token::Verifier;
use moim_kit::trace::{self, Trace};
use moim_kit::{Call, Clock, Code, Fault};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

/// As the endpoint gives a query.
const DEADLINE: Duration = Duration::from_secs(5);
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The routes, one for each query.
pub(crate) fn router(verifier: Arc<Verifier>, clock: Clock, upstream: Upstream) -> Router {
    let floor = Arc::new(Floor { verifier, clock, upstream });
    Router::new()
        .route("/member", get(member))
        .route("/list", get(list))
        .route("/levels", get(levels))
        .with_state(floor)
}

struct Floor {
    verifier: Arc<Verifier>,
    clock: Clock,
    upstream: Upstream,
}

#[derive(Deserialize)]
struct By {
    nickname: String,
}

#[derive(Deserialize)]
struct Size {
    first: i32,
}

async fn member(State(floor): State<Arc<Floor>>, by: Query<By>, headers: HeaderMap) -> Response {
    floor.respond(&headers, |call| answers::member(call, &floor.upstream, by.0.nickname)).await
}

async fn list(State(floor): State<Arc<Floor>>, size: Query<Size>, headers: HeaderMap) -> Response {
    floor.respond(&headers, |call| answers::list(call, &floor.upstream, size.first)).await
}

async fn levels(
    State(floor): State<Arc<Floor>>,
    size: Query<Size>,
    headers: HeaderMap,
) -> Response {
    floor.respond(&headers, |call| answers::levels(call, &floor.upstream, size.first)).await
}

impl Floor {
    async fn respond<F>(&self, headers: &HeaderMap, work: impl FnOnce(Call) -> F) -> Response
    where
        F: Future<Output = Result<Vec<u8>, Fault>>,
    {
        let deadline = Instant::now() + DEADLINE;
        let call = match self.admit(headers, deadline).await {
            Ok(call) => call,
            Err(fault) => return refused(&fault),
        };
        let json = match timeout_at(deadline, work(call.clone())).await {
            Ok(Ok(json)) => json,
            Ok(Err(fault)) => return refused(&fault),
            Err(_) => return StatusCode::GATEWAY_TIMEOUT.into_response(),
        };
        let mut response = Response::new(Body::from(json));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(trace_id) = HeaderValue::from_str(&call.trace().trace_id()) {
            headers.insert(TRACE_ID, trace_id);
        }
        response
    }

    /// As the endpoint's gate does: token, trace, deadline and what the client has seen.
    async fn admit(&self, headers: &HeaderMap, deadline: Instant) -> Result<Call, Fault> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut seen = text(seen::HEADER).map(Seen::decode_text).unwrap_or_default();
        seen.expire(self.clock.now());
        let call = Call::new(Trace::continued(text(trace::HEADER)), deadline).having_seen(seen);
        let Some(credential) = text(AUTHORIZATION.as_str()) else { return Ok(call) };
        let token: Arc<str> =
            credential.strip_prefix("Bearer ").ok_or_else(Fault::unauthenticated)?.into();
        let caller = self.verifier.verify(&token).await?;
        Ok(call.by(caller, token))
    }
}

fn refused(fault: &Fault) -> Response {
    let status = match fault.code() {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::NotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_GATEWAY,
    };
    (status, fault.to_string()).into_response()
}
