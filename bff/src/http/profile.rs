//! Which HTTP status says what: two readings of GraphQL over HTTP, one chosen by configuration.
//!
//! Source: the GraphQL over HTTP specification (<https://graphql.github.io/graphql-over-http/draft/>),
//! sections 4.2 Accept, 5.1 Body, 5.4 Status Codes and 6.1 Partial success of the September 2026
//! edition, and for `audit` its drafts of 2022 to 2025, which npm `graphql-http` audits.
//!
//! | | `audit` | `2026-09` |
//! | --- | --- | --- |
//! | `Accept` absent or `*/*` | `application/json` | `application/graphql-response+json` |
//! | JSON that is not a GraphQL request | 400 | 422 |
//! | document that does not parse | 400 | 400 |
//! | document or variables that do not fit, no such operation, limits | 400 | 422 |
//! | the same for clients that accept only `application/json` | 200 | as above, and the media type of such an answer is `application/graphql-response+json`: only 2xx answers are labelled `application/json` |
//! | `data` and `errors` | 200 | 294; 200 for clients that accept only `application/json`, since the custom code is meant for the new media type (6.1) |
//!
//! `PERSISTED_QUERY_NOT_FOUND` and `PERSISTED_QUERY_NOT_SUPPORTED` are 200 in both, as Apollo has it: they ask for
//! the document.
//!
//! What never reached GraphQL (method, media types, sizes, time, load, who asks) has its own status in
//! both: 401, 403, 405, 406, 408, 413, 414, 415, 429, 503.

use std::fmt;
use std::str::FromStr;

use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::guard::EdgeCode;

/// A reading of the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Profile {
    /// What clients of the last years expect; passes every audit of npm `graphql-http`.
    #[default]
    #[serde(rename = "audit")]
    Audit,
    /// The first edition of the specification.
    #[serde(rename = "2026-09")]
    September2026,
}

/// A profile of that name does not exist.
#[derive(Debug, thiserror::Error)]
#[error("profile is `audit` or `2026-09`")]
pub struct NoSuchProfile;

impl FromStr for Profile {
    type Err = NoSuchProfile;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "audit" => Ok(Self::Audit),
            "2026-09" => Ok(Self::September2026),
            _ => Err(NoSuchProfile),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audit => "audit",
            Self::September2026 => "2026-09",
        })
    }
}

/// The media types an answer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    Json,
    GraphqlResponse,
}

impl MediaType {
    pub(super) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

impl Profile {
    /// For clients that do not care.
    pub(super) const fn usual(self) -> MediaType {
        match self {
            Self::Audit => MediaType::Json,
            Self::September2026 => MediaType::GraphqlResponse,
        }
    }

    /// Status and media type of an answer that has data.
    pub(super) fn executed(self, media: MediaType, failed: bool) -> (StatusCode, MediaType) {
        let partial = failed && media == MediaType::GraphqlResponse && self == Self::September2026;
        let status = if partial {
            StatusCode::from_u16(294).unwrap_or(StatusCode::OK)
        } else {
            StatusCode::OK
        };
        (status, media)
    }

    /// Status and media type of an answer that has none.
    pub(super) const fn refused(self, media: MediaType, code: EdgeCode) -> (StatusCode, MediaType) {
        let (status, graphql) = self.status(code);
        match (self, media) {
            // Apollo's clients send the document only after an answer that is no failure of HTTP.
            _ if code.asks_for_the_document() => (StatusCode::OK, media),
            (Self::Audit, MediaType::Json) if graphql => (StatusCode::OK, media),
            (Self::Audit, _) => (status, media),
            (Self::September2026, _) => (status, MediaType::GraphqlResponse),
        }
    }

    /// True for the code of what a well-formed GraphQL request led to.
    pub(super) const fn is_graphql(code: EdgeCode) -> bool {
        Self::Audit.status(code).1
    }

    /// The status of a code, and whether a well-formed GraphQL request led to it.
    const fn status(self, code: EdgeCode) -> (StatusCode, bool) {
        let unprocessable = match self {
            Self::Audit => StatusCode::BAD_REQUEST,
            Self::September2026 => StatusCode::UNPROCESSABLE_ENTITY,
        };
        match code {
            EdgeCode::MalformedBody | EdgeCode::BatchRefused => (StatusCode::BAD_REQUEST, false),
            EdgeCode::MalformedRequest => (unprocessable, false),
            EdgeCode::Unauthenticated => (StatusCode::UNAUTHORIZED, false),
            EdgeCode::PreflightRequired | EdgeCode::OriginRefused | EdgeCode::Forbidden => {
                (StatusCode::FORBIDDEN, false)
            }
            EdgeCode::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, false),
            EdgeCode::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, false),
            EdgeCode::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, false),
            EdgeCode::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, false),
            EdgeCode::UrlTooLong => (StatusCode::URI_TOO_LONG, false),
            EdgeCode::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
            EdgeCode::RateLimited | EdgeCode::SlowConsumer => {
                (StatusCode::TOO_MANY_REQUESTS, false)
            }
            EdgeCode::Overloaded | EdgeCode::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, false)
            }
            EdgeCode::ParseFailed => (StatusCode::BAD_REQUEST, true),
            EdgeCode::ValidationFailed
            | EdgeCode::OperationNotFound
            | EdgeCode::DocumentNotFound
            | EdgeCode::DocumentNotTrusted
            | EdgeCode::PersistedQueryNotFound
            | EdgeCode::PersistedQueryNotSupported
            | EdgeCode::TooComplex
            | EdgeCode::IntrospectionDisabled
            | EdgeCode::Invalid
            | EdgeCode::AnswerTooLarge => (unprocessable, true),
            EdgeCode::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, true),
            EdgeCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for profile in [Profile::Audit, Profile::September2026] {
            assert_eq!(profile.to_string().parse::<Profile>().ok(), Some(profile));
        }
        assert!("2027".parse::<Profile>().is_err());
    }

    #[test]
    fn no_answer_without_data_looks_like_a_success_in_the_new_media_type() {
        for profile in [Profile::Audit, Profile::September2026] {
            for code in EdgeCode::ALL.iter().filter(|code| !code.asks_for_the_document()) {
                let (status, _) = profile.refused(MediaType::GraphqlResponse, *code);
                assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            }
        }
    }
}
