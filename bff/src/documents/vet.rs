//! Whether a listed document could be answered at all: the guard lets it in and it fits the schema.

use async_graphql::{Executor, Request, ServerError};

use crate::guard::{Guard, Limits};

/// No operation has this name, so that the library checks a document and runs nothing of it.
const NOBODY: &str = "";
const UNKNOWN: &str = "Unknown operation named \"\"";

/// What documents are held against.
pub(super) struct Vetting<X> {
    /// One of its own: what is only listed takes no room from what is asked.
    guard: Guard,
    executor: X,
}

impl<X: Executor> Vetting<X> {
    pub(super) fn new(limits: Limits, executor: X) -> Self {
        Self { guard: Guard::new(limits), executor }
    }

    /// Why the document could never be answered.
    pub(super) async fn refusal(&self, text: &str) -> Option<String> {
        let parsed = match self.guard.vet(text) {
            Ok(parsed) => parsed,
            Err(rejection) => return Some(told(&rejection.into_error())),
        };
        let mut request = Request::new(text).operation_name(NOBODY);
        request.set_parsed_query(parsed);
        let answer = self.executor.execute(request).await;
        answer.errors.iter().find(|error| error.message != UNKNOWN).map(told)
    }
}

fn told(error: &ServerError) -> String {
    match error.locations.first() {
        Some(at) => format!("{} ({}:{})", error.message, at.line, at.column),
        None => error.message.clone(),
    }
}
