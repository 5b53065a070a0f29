//! Failures towards clients: what a person can act on is data, the rest is one coded error.

use async_graphql::{Enum, Error, ErrorExtensions as _, Interface, SimpleObject};
use moim_kit::{Code, Fault};

use super::schedule::types::Schedule;
use super::scope::Scope;

/// Stable codes of expected failures. Clients treat an unknown one as INVALID.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserErrorCode {
    /// An argument is out of range or malformed.
    Invalid,
    /// No such thing, or the viewer may not see it.
    NotFound,
    /// The viewer lacks the right.
    Forbidden,
    /// Taken, such as a nickname or an e-mail address.
    AlreadyExists,
    /// Not possible in the present state.
    WrongState,
    /// No room.
    Full,
    /// The viewer was removed for good.
    Banned,
    /// Only for members of the gathering.
    NotAMember,
    /// Another schedule is at that time.
    Overlaps,
    /// The wallet lacks money.
    InsufficientBalance,
    /// Unknown e-mail address or wrong password.
    BadCredentials,
    /// The session was ended; log in again.
    SessionRevoked,
    /// The key was used before with another input.
    IdempotencyKeyReused,
}

/// An expected failure, as data.
#[derive(Interface, Debug)]
#[graphql(
    field(name = "code", ty = "&UserErrorCode", desc = "Stable reason, for programs."),
    field(name = "message", ty = "&String", desc = "For people, in the request's language."),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "Input field at fault, such as [\"input\", \"title\"]; null when none is."
    )
)]
pub enum UserError {
    /// A failure that its code says in full.
    Basic(BasicError),
    /// The wallet lacks money.
    InsufficientBalance(InsufficientBalanceError),
    /// The viewer already goes somewhere at that time.
    ScheduleOverlap(Box<ScheduleOverlapError>),
}

/// A failure that its code says in full.
#[derive(SimpleObject, Debug)]
pub struct BasicError {
    /// Stable reason, for programs.
    pub code: UserErrorCode,
    /// For people, in the request's language.
    pub message: String,
    /// Input field at fault, such as ["input", "title"]; null when none is.
    pub path: Option<Vec<String>>,
}

/// The wallet lacks money.
#[derive(SimpleObject, Debug)]
pub struct InsufficientBalanceError {
    /// Always INSUFFICIENT_BALANCE.
    pub code: UserErrorCode,
    /// For people, in the request's language.
    pub message: String,
    /// Input field at fault, such as ["input", "title"]; null when none is.
    pub path: Option<Vec<String>>,
    /// KRW missing.
    pub shortfall: i32,
}

/// The viewer already goes somewhere at that time.
#[derive(SimpleObject, Debug)]
pub struct ScheduleOverlapError {
    /// Always OVERLAPS.
    pub code: UserErrorCode,
    /// For people, in the request's language.
    pub message: String,
    /// Input field at fault, such as ["input", "title"]; null when none is.
    pub path: Option<Vec<String>>,
    /// Where the viewer goes already.
    pub overlapping: Schedule,
}

impl UserError {
    /// A failure as data, when a person can act on it; else it is given back.
    pub fn try_new(scope: &Scope, fault: Fault) -> Result<BasicError, Fault> {
        let Some(code) = UserErrorCode::of(fault.code()) else { return Err(fault) };
        Ok(BasicError {
            code,
            message: fault.message(scope.korean()).to_owned(),
            path: fault.field().map(|field| vec!["input".to_owned(), field.to_owned()]),
        })
    }
}

impl UserErrorCode {
    fn of(code: Code) -> Option<Self> {
        Some(match code {
            Code::Invalid => Self::Invalid,
            Code::NotFound => Self::NotFound,
            Code::Forbidden => Self::Forbidden,
            Code::AlreadyExists => Self::AlreadyExists,
            Code::WrongState => Self::WrongState,
            Code::Full => Self::Full,
            Code::Banned => Self::Banned,
            Code::NotAMember => Self::NotAMember,
            Code::Overlaps => Self::Overlaps,
            Code::InsufficientBalance => Self::InsufficientBalance,
            Code::BadCredentials => Self::BadCredentials,
            Code::SessionRevoked => Self::SessionRevoked,
            Code::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            Code::CursorExpired
            | Code::Unauthenticated
            | Code::Conflict
            | Code::Unavailable
            | Code::DeadlineExceeded
            | Code::RateLimited
            | Code::Internal => return None,
        })
    }
}

/// How long a client should wait before it tries again, when nobody knows better.
const RETRY_AFTER_MS: i32 = 1_000;

/// Why a stream ended, where clients must know better than by the kind of failure.
const ENDS: [&str; 2] = ["CURSOR_EXPIRED", "SLOW_CONSUMER"];

/// One coded error for the `errors` of an answer; a defect is logged here, once, and masked.
pub fn coded(scope: &Scope, service: &'static str, fault: Fault) -> Error {
    let trace_id = scope.call().trace().trace_id();
    if fault.code() == Code::Internal {
        tracing::error!(error = %fault, service, trace_id, "a field failed");
    }
    let message = fault.message(scope.korean()).to_owned();
    Error::new(message).extend_with(|_, extensions| {
        let end = ENDS.into_iter().find(|end| *end == fault.reason());
        extensions.set("code", end.unwrap_or(fault.code().name()));
        extensions.set("service", service);
        extensions.set("retryable", fault.code().is_retryable());
        if fault.code().is_retryable() {
            let told = fault.retry_after().map(|wait| wait.as_millis().max(1));
            let ms = told.and_then(|ms| i32::try_from(ms).ok()).unwrap_or(RETRY_AFTER_MS);
            extensions.set("retryAfterMs", ms);
        }
        if let Some(field) = fault.field() {
            extensions.set("field", field);
        }
        extensions.set("traceId", trace_id);
    })
}

/// Declares a payload: the thing written, or user errors.
macro_rules! payload {
    ($($payload:ident($field:ident: $type:ty) of $mutation:literal, $doc:literal;)*) => {
        $(
            #[doc = concat!("Result of ", $mutation, ".")]
            #[derive(async_graphql::SimpleObject)]
            pub struct $payload {
                #[doc = concat!($doc, "; null on failure.")]
                $field: Option<$type>,
                /// Why it failed; empty on success.
                user_errors: Vec<$crate::schema::error::UserError>,
            }

            impl $payload {
                /// From what the service answered; `Some` unless it is an error, as a root field is nullable.
                pub fn new(
                    scope: &$crate::schema::scope::Scope,
                    service: &'static str,
                    outcome: Result<$type, moim_kit::Fault>,
                ) -> async_graphql::Result<Option<Self>> {
                    match outcome {
                        Ok(value) => Ok(Some(Self { $field: Some(value), user_errors: Vec::new() })),
                        Err(fault) => {
                            $crate::schema::error::UserError::try_new(scope, fault)
                                .map(|error| Some(Self { $field: None, user_errors: vec![error.into()] }))
                                .map_err(|fault| $crate::schema::error::coded(scope, service, fault))
                        }
                    }
                }
            }
        )*
    };
}

pub(crate) use payload;
