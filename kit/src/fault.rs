//! Failures as data: a closed set of codes, a stable reason, and words for people; the rest is masked.
//!
//! On the wire a fault is a gRPC status with `google.rpc.ErrorInfo` (reason, and metadata `code`,
//! `field`, `about`, `shortfall_krw`) and `google.rpc.LocalizedMessage` in Korean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

const DOMAIN: &str = "moim";
const AWAY: (Code, &str) = (Code::Unavailable, "Not available right now.");

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $name:literal $grpc:ident;)*) => {
        /// What kind of failure it is; clients decide by this.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// As GraphQL and `ErrorInfo` spell it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The gRPC code it travels as.
            pub const fn grpc(self) -> tonic::Code {
                match self { $(Self::$code => tonic::Code::$grpc,)* }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$code),)* _ => None }
            }
        }
    };
}

codes! {
    /// An argument out of range.
    Invalid "INVALID" InvalidArgument;
    /// It does not exist, or the caller may not know that it does.
    NotFound "NOT_FOUND" NotFound;
    /// The caller's role does not allow it.
    Forbidden "FORBIDDEN" PermissionDenied;
    /// It is there already.
    AlreadyExists "ALREADY_EXISTS" AlreadyExists;
    /// Not possible in the state it is in.
    WrongState "WRONG_STATE" FailedPrecondition;
    /// No room left.
    Full "FULL" FailedPrecondition;
    /// The caller may not come back.
    Banned "BANNED" PermissionDenied;
    /// The caller does not belong to the gathering.
    NotAMember "NOT_A_MEMBER" PermissionDenied;
    /// The caller is elsewhere at that time.
    Overlaps "OVERLAPS" FailedPrecondition;
    /// The wallet lacks money.
    InsufficientBalance "INSUFFICIENT_BALANCE" FailedPrecondition;
    /// Unknown account or wrong password.
    BadCredentials "BAD_CREDENTIALS" PermissionDenied;
    /// The session was ended.
    SessionRevoked "SESSION_REVOKED" PermissionDenied;
    /// The same key came with other input.
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" FailedPrecondition;
    /// A reader is too far behind to be told what it missed; it starts anew.
    CursorExpired "CURSOR_EXPIRED" OutOfRange;
    /// Signing in is needed, or the token is not good.
    Unauthenticated "UNAUTHENTICATED" Unauthenticated;
    /// Two writers met; trying again helps.
    Conflict "CONFLICT" Aborted;
    /// Out of reach or behind; trying again helps.
    Unavailable "UNAVAILABLE" Unavailable;
    /// Time ran out.
    DeadlineExceeded "DEADLINE_EXCEEDED" DeadlineExceeded;
    /// Too much was asked.
    RateLimited "RATE_LIMITED" ResourceExhausted;
    /// A defect; told to nobody but the log.
    Internal "INTERNAL" Internal;
}

impl Code {
    /// True for failures a person can act on; they are shown as user errors.
    pub const fn is_expected(self) -> bool {
        !matches!(
            self,
            Self::CursorExpired
                | Self::Unauthenticated
                | Self::Conflict
                | Self::Unavailable
                | Self::DeadlineExceeded
                | Self::RateLimited
                | Self::Internal
        )
    }

    /// True when the same request may succeed a little later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Conflict | Self::Unavailable | Self::DeadlineExceeded | Self::RateLimited
        )
    }
}

/// A failure on its way to whoever asked.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    korean: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    about: Option<String>,
    shortfall_krw: Option<i64>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A failure with its stable reason (`SCREAMING_CASE`) and its words in English.
    pub fn new(
        code: Code,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            code,
            reason: reason.into(),
            message: message.into(),
            korean: None,
            field: None,
            about: None,
            shortfall_krw: None,
            source: None,
        }))
    }

    /// A defect: logged where it becomes a status, never told to the client.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "INTERNAL", "Something went wrong.").because(source)
    }

    /// Something needed is out of reach; it may come back.
    pub fn unavailable(
        reason: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::new(Code::Unavailable, reason, "Not available right now.").because(source)
    }

    /// Signing in is needed first.
    pub fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "UNAUTHENTICATED", "Sign in first.")
            .in_korean("먼저 로그인해 주세요.")
    }

    /// The same words in Korean.
    #[must_use]
    pub fn in_korean(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.korean = Some(message.into());
        self
    }

    /// Names the input field at fault, in the spelling of the API.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Names another thing the failure is about, by id.
    #[must_use]
    pub fn about(mut self, id: impl fmt::Display) -> Self {
        self.0.about = Some(id.to_string());
        self
    }

    /// Says how much money is missing.
    #[must_use]
    pub fn short_of(mut self, krw: i64) -> Self {
        self.0.shortfall_krw = Some(krw);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The stable reason.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The words, in Korean when asked for and known.
    pub fn message(&self, korean: bool) -> &str {
        match &self.0.korean {
            Some(words) if korean => words,
            _ => &self.0.message,
        }
    }

    /// The input field at fault.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// True when an error of this type is among its causes.
    pub fn is_caused_by<E: Error + 'static>(&self) -> bool {
        let mut cause = self.0.source.as_deref().map(|source| source as &(dyn Error + 'static));
        while let Some(error) = cause {
            if error.is::<E>() {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Id of the other thing it is about.
    pub fn about_id(&self) -> Option<&str> {
        self.0.about.as_deref()
    }

    /// How much money is missing, KRW.
    pub fn shortfall_krw(&self) -> Option<i64> {
        self.0.shortfall_krw
    }
}

impl Clone for Fault {
    /// A copy for another waiter of the same work; the cause stays with the first, which logs it.
    fn clone(&self) -> Self {
        Self(Box::new(Inner {
            code: self.0.code,
            reason: self.0.reason.clone(),
            message: self.0.message.clone(),
            korean: self.0.korean.clone(),
            field: self.0.field.clone(),
            about: self.0.about.clone(),
            shortfall_krw: self.0.shortfall_krw,
            source: None,
        }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.reason, self.0.message)?;
        let mut told = String::new();
        let mut cause = self.0.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            // Many errors repeat their cause in their own words.
            let text = error.to_string();
            if !told.contains(&text) {
                write!(f, ": {text}")?;
                told.push_str(&text);
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for Fault {}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        if fault.0.source.is_some() {
            tracing::error!(reason = fault.reason(), error = %fault, "call failed");
        }
        let Inner { code, reason, message, korean, field, about, shortfall_krw, .. } = *fault.0;
        let mut metadata = HashMap::from([("code".to_owned(), code.name().to_owned())]);
        let shortfall = shortfall_krw.map(|krw| krw.to_string());
        let more = [("field", field.map(Cow::into_owned)), ("about", about)];
        for (name, value) in more.into_iter().chain([("shortfall_krw", shortfall)]) {
            metadata.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        if let Some(korean) = korean {
            details.set_localized_message("ko", korean);
        }
        Status::with_error_details(code.grpc(), message, details)
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        if let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN)
            && let Some(code) = info.metadata.get("code").and_then(|name| Code::from_name(name))
        {
            let mut fault = Self::new(code, info.reason.clone(), status.message().to_owned());
            fault.0.korean =
                details.localized_message().map(|words| Cow::Owned(words.message.clone()));
            fault.0.field = info.metadata.get("field").map(|field| Cow::Owned(field.clone()));
            fault.0.about = info.metadata.get("about").cloned();
            let shortfall = info.metadata.get("shortfall_krw");
            fault.0.shortfall_krw = shortfall.and_then(|krw| krw.parse().ok());
            return fault;
        }
        let (code, message) = match status.code() {
            tonic::Code::Unavailable | tonic::Code::Cancelled => AWAY,
            tonic::Code::DeadlineExceeded => (Code::DeadlineExceeded, "It took too long."),
            tonic::Code::Unauthenticated => (Code::Unauthenticated, "Sign in first."),
            tonic::Code::ResourceExhausted => (Code::RateLimited, "Too much at once."),
            tonic::Code::Aborted => (Code::Conflict, "Someone else was changing this; try again."),
            _ if status.source().is_some() => AWAY, // Of our own transport: the answer broke off.
            _ => (Code::Internal, "Something went wrong."),
        };
        Self::new(code, code.name(), message).because(status)
    }
}

/// Declares the faults of a room: `Reason: Code, "field" or none, "English", "한국어";`.
///
/// Makes an enum `Reason` that converts into [`Fault`](crate::Fault) and lists itself in `Reason::ALL`.
#[macro_export]
macro_rules! faults {
    ($($reason:ident $name:literal: $code:ident, $field:tt, $english:literal, $korean:literal;)*) => {
        /// Every expected failure of this room.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $(#[doc = $english] $reason,)*
        }

        impl Reason {
            /// All of them, for tests that hold the list complete.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)*];

            /// As `ErrorInfo.reason` spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$reason => $name,)* }
            }
        }

        impl From<Reason> for $crate::Fault {
            fn from(reason: Reason) -> Self {
                match reason {
                    $(Reason::$reason => {
                        let fault = $crate::Fault::new($crate::Code::$code, $name, $english)
                            .in_korean($korean);
                        $crate::faults!(@field fault, $field)
                    })*
                }
            }
        }
    };
    (@field $fault:ident, none) => { $fault };
    (@field $fault:ident, $field:literal) => { $fault.at($field) };
}

#[cfg(test)]
mod tests {
    use super::*;

    faults! {
        NicknameTaken "NICKNAME_TAKEN": AlreadyExists, "nickname", "Taken.", "이미 있습니다.";
        HostStays "HOST_STAYS": WrongState, none, "Hand over first.", "먼저 넘겨주세요.";
    }

    #[test]
    fn a_fault_keeps_its_three_faces_over_the_wire() {
        for reason in Reason::ALL {
            let sent = Fault::from(*reason).about("x").short_of(7);
            let (code, field) = (sent.code(), sent.field().map(str::to_owned));
            let got = Fault::from(Status::from(sent));
            assert_eq!(got.reason(), reason.name());
            assert_eq!((got.code(), got.field()), (code, field.as_deref()));
            assert_eq!((got.about_id(), got.shortfall_krw()), (Some("x"), Some(7)));
            assert_ne!(got.message(true), got.message(false));
        }
    }

    #[test]
    fn a_defect_tells_the_client_nothing() {
        let status = Status::from(Fault::internal("disk on fire"));
        assert_eq!(status.code(), tonic::Code::Internal);
        assert!(!format!("{status:?}").contains("fire"));
    }

    #[test]
    fn a_foreign_status_becomes_a_closed_code() {
        assert_eq!(Fault::from(Status::unavailable("gone")).code(), Code::Unavailable);
        assert_eq!(Fault::from(Status::data_loss("gone")).code(), Code::Internal);
        assert_eq!(Fault::from(Status::from_error("cut off".into())).code(), Code::Unavailable);
    }
}
