//! What came back, and how to read it.

use std::fmt::Debug;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// An answer of the endpoint, as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The JSON, or null when there was none.
    pub body: Value,
}

impl Answer {
    /// `data`; fails when there is any error.
    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.body);
        expect_data(&self.body)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// `data` of an answer; fails when there is any error, at the top or as data.
#[track_caller]
pub fn expect_data(body: &Value) -> &Value {
    assert!(body.get("errors").is_none(), "there are errors: {body:#}");
    let codes = user_error_codes(body);
    assert!(codes.is_empty(), "there are user errors: {body:#}");
    let data = &body["data"];
    assert!(data.is_object(), "there is no data: {body:#}");
    data
}

/// Codes of the `userErrors` of every mutation in an answer, in order; fails on errors at the top.
#[track_caller]
pub fn user_error_codes(body: &Value) -> Vec<String> {
    assert!(body.get("errors").is_none(), "there are errors: {body:#}");
    let payloads = body["data"].as_object().into_iter().flat_map(|data| data.values());
    payloads
        .filter_map(|payload| payload.get("userErrors")?.as_array())
        .flatten()
        .map(|error| {
            error["code"].as_str().unwrap_or_else(|| panic!("ask for code: {body:#}")).to_owned()
        })
        .collect()
}

/// Every code there is, for whoever reads them.
const LISTED: &str = include_str!("../../../docs/codes.md");

/// `extensions.code` of every error at the top of an answer, in order; fails on one that is not listed.
#[track_caller]
pub fn error_codes(body: &Value) -> Vec<String> {
    let errors = body["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| {
            let code = error["extensions"]["code"].as_str();
            let code = code.unwrap_or_else(|| panic!("an error without a code: {body:#}"));
            assert!(LISTED.contains(&format!("| `{code}` |")), "{code} is not in docs/codes.md");
            code.to_owned()
        })
        .collect()
}

/// Looks again and again for what other processes are still to be told; fails after ten seconds.
#[track_caller]
pub fn eventually<T, E: Debug>(
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let due = Instant::now() + Duration::from_secs(10);
        loop {
            match look().await {
                Ok(found) => return found,
                Err(instead) if Instant::now() >= due => {
                    panic!("what {place} waits for did not come about: {instead:?}")
                }
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }
}
