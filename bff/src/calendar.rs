//! Calendar files behind signed links: `/calendar/<schedule>.ics?signature=`.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use moim_kit::trace::Trace;
use moim_kit::{Call, Fault};
use moim_proto::schedule::v1::GetCalendarRequest;
use serde::Deserialize;
use tokio::time::Instant;

use crate::upstream::Upstream;

const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Signed {
    #[serde(default)]
    signature: String,
}

/// The route of calendar files. Calendars carry no token: the signature is the right to read.
pub fn routes(upstream: Upstream) -> Router {
    Router::new().route("/calendar/{file}", get(calendar)).with_state(upstream)
}

async fn calendar(
    State(mut upstream): State<Upstream>,
    Path(file): Path<String>,
    Query(Signed { signature }): Query<Signed>,
) -> Response {
    let Some(schedule_id) = file.strip_suffix(".ics").map(str::to_owned) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let call = Call::new(Trace::here(), Instant::now() + DEADLINE);
    let request = call.request(GetCalendarRequest { schedule_id, signature });
    match upstream.schedule.get_calendar(request).await.map_err(Fault::from) {
        Ok(answer) => {
            let headers = [
                (CONTENT_TYPE, "text/calendar; charset=utf-8"),
                (CACHE_CONTROL, "private, max-age=60"),
                (HeaderName::from_static("x-content-type-options"), "nosniff"),
            ];
            (headers, answer.into_inner().ics).into_response()
        }
        Err(fault) if fault.code().is_expected() => StatusCode::NOT_FOUND.into_response(),
        Err(fault) => {
            tracing::warn!(error = %fault, "a calendar could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
        }
    }
}
