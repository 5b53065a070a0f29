//! Calls of the payment provider: taken as they come, judged by the payment room, answered by a status alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use moim_kit::trace::Trace;
use moim_kit::wire::Wire;
use moim_kit::{Call, Code, Fault};
use moim_proto::payment::v1::TakeWebhookRequest;
use moim_proto::payment::v1::payment_service_client::PaymentServiceClient;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::handler;
use crate::guard::EdgeCode;

const BODY_BYTES: usize = 64 * 1024;
/// Providers give up after ten seconds.
const DEADLINE: Duration = Duration::from_secs(8);
const RETRY_SECONDS: u32 = 30;
/// What goes along of the headers is the provider's own and small; nothing of them is for anybody else.
const PREFIXES: [&str; 1] = ["tosspayments-webhook-"];
const HEADERS: usize = 16;
const HEADER_BYTES: usize = 1024;

/// Who takes webhooks, within the limits of every request.
pub(super) struct Hook {
    pub payment: PaymentServiceClient<Wire>,
    pub running: Arc<Semaphore>,
    /// For a body to arrive.
    pub body_within: Duration,
}

/// `/webhooks/payment`. No page may call it: it reads no cookie and allows no origin.
pub(super) fn routes(hook: Hook) -> Router {
    Router::new().route("/webhooks/payment", any(take)).with_state(Arc::new(hook))
}

async fn take(State(hook): State<Arc<Hook>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let status = if parts.method == Method::POST {
        hook.pass_on(&parts.headers, body).await.err().unwrap_or(StatusCode::OK)
    } else {
        StatusCode::METHOD_NOT_ALLOWED
    };
    answer(status)
}

impl Hook {
    async fn pass_on(&self, headers: &HeaderMap, body: Body) -> Result<(), StatusCode> {
        let body = handler::read(body, BODY_BYTES, self.body_within).await;
        let body = body.map_err(|rejection| match rejection.code {
            EdgeCode::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            EdgeCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        })?;
        let Ok(_running) = self.running.try_acquire() else {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        let call = Call::new(Trace::here(), Instant::now() + DEADLINE);
        let message = TakeWebhookRequest { headers: picked(headers), body };
        match self.payment.clone().take_webhook(call.request(message)).await.map_err(Fault::from) {
            Ok(_) => Ok(()),
            Err(fault) if fault.code() == Code::Forbidden => Err(StatusCode::FORBIDDEN),
            Err(fault) => {
                tracing::warn!(error = %fault, "a webhook could not be taken");
                let passing = fault.code().is_retryable();
                Err(if passing {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                })
            }
        }
    }
}

/// The provider's own headers. One that is too long, no text or there twice is as good as missing.
fn picked(headers: &HeaderMap) -> HashMap<String, String> {
    let names = headers.keys().map(|name| name.as_str());
    let own = names.filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    let fit = own.filter_map(|name| {
        let mut values = headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let value = value.to_str().ok().filter(|value| value.len() <= HEADER_BYTES)?;
        Some((name.to_owned(), value.to_owned()))
    });
    fit.take(HEADERS).collect()
}

fn answer(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        _ => {}
    }
    response
}
