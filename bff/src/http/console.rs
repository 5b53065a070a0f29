//! The page for trying things out.
use axum::Router;
use axum::response::{IntoResponse, Response};

/// x
#[derive(Clone, Debug)]
pub struct Console {}
/// x
#[derive(Clone, Debug)]
pub struct Tab {}
pub(super) fn page(_console: &Console) -> Response {
    "x".into_response()
}
pub(super) fn routes(_console: Console) -> Router {
    Router::new()
}
