//! What requests and operations are measured by: methods, routes and outcomes, and nothing a client makes up.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::StatusCode;
use moim_kit::metrics::label::{HTTP_METHODS, one_of};
use moim_kit::metrics::{self, Catalogue, Held, KeyValue};
use tokio::time::Instant;

use super::answer::Reply;
use crate::guard::{EdgeCode, Inspected};

/// Every route that is told by its name; a path that is no route has none.
pub const ROUTES: [&str; 9] = [
    "/graphql",
    "/healthz",
    "/readyz",
    "/webhooks/payment",
    "/calendar/{file}",
    "/",
    "/console/console.js",
    "/console/console.css",
    "/console/assets/{package}/{*path}",
];

/// Measures every request, when anybody wants to know by the time the routes are made.
pub(super) fn requests(router: Router) -> Router {
    match metrics::catalogue() {
        Some(catalogue) => {
            router.layer(from_fn(move |request, next| measure(catalogue, request, next)))
        }
        None => router,
    }
}

async fn measure(catalogue: &'static Catalogue, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = one_of(&HTTP_METHODS, request.method().as_str());
    let labels = [
        KeyValue::new("http.request.method", method),
        // A proxy in front may speak otherwise with the client.
        KeyValue::new("url.scheme", "http"),
    ];
    let route = request.extensions().get::<MatchedPath>();
    let route = route.and_then(|path| ROUTES.iter().find(|route| **route == path.as_str()));
    let active = Held::new(&catalogue.http_active, labels.clone());
    let response = next.run(request).await;
    drop(active);
    let status = response.status();
    let mut labels = Vec::from(labels);
    labels.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    labels.extend(route.map(|route| KeyValue::new("http.route", *route)));
    labels.extend(failed(status).then(|| KeyValue::new("error.type", status.as_u16().to_string())));
    catalogue.http_requests.record(metrics::seconds(began), &labels);
    response
}

fn failed(status: StatusCode) -> bool {
    status.is_server_error()
}

/// A query or mutation, measured when it is dropped: with its answer, once that is written.
#[derive(Debug)]
pub(super) struct Measured {
    catalogue: &'static Catalogue,
    began: Instant,
    labels: Vec<KeyValue>,
    /// None for what was turned away before it ran.
    waited: Option<Duration>,
}

impl Measured {
    /// What came of an operation that was read at an instant.
    pub(super) fn of(
        began: Option<Instant>,
        inspected: &Inspected,
        reply: &Reply,
        waited: Option<Duration>,
    ) -> Option<Self> {
        let (catalogue, began) = metrics::catalogue().zip(began)?;
        let mut labels = vec![
            KeyValue::new("graphql.operation.type", kind(inspected.kind)),
            KeyValue::new("outcome", outcome(reply, waited.is_some())),
        ];
        // A name that a client may choose is none to count by.
        let name = inspected.name.as_ref().filter(|_| inspected.listed);
        labels.extend(name.map(|name| KeyValue::new("graphql.operation.name", name.to_string())));
        Some(Self { catalogue, began, labels, waited })
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.catalogue.operations.record(took.as_secs_f64(), &self.labels);
        if let Some(waited) = self.waited {
            let own = took.saturating_sub(waited).as_secs_f64();
            self.catalogue.overhead.record(own, &self.labels[..1]);
        }
    }
}

const fn kind(of: OperationType) -> &'static str {
    match of {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

fn outcome(reply: &Reply, ran: bool) -> &'static str {
    match (&reply.data, reply.errors.is_empty()) {
        (Some(_), true) => "ok",
        (Some(_), false) => "partial",
        (None, _) if reply.code() == EdgeCode::DeadlineExceeded => "late",
        (None, _) if ran => "failed",
        (None, _) => "refused",
    }
}

/// One more answer with this code.
pub(super) fn refused(code: &'static str) {
    if let Some(catalogue) = metrics::catalogue() {
        catalogue.requests_refused.add(1, &[KeyValue::new("code", code)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: [&str; 4] = [
        include_str!("mod.rs"),
        include_str!("console.rs"),
        include_str!("webhook.rs"),
        include_str!("../calendar.rs"),
    ];

    #[test]
    fn every_route_is_told_by_its_name() {
        let declared = SOURCES.iter().flat_map(|source| source.split(".route(").skip(1));
        let mut declared: Vec<_> = declared.filter_map(|rest| rest.split('"').nth(1)).collect();
        declared.sort_unstable();
        let mut told = ROUTES.to_vec();
        told.sort_unstable();
        assert_eq!(declared, told);
    }
}
