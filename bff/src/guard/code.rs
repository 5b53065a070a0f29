//! Every code the edge itself puts into `extensions.code`; services' faults bring their own.

use std::borrow::Cow;

use async_graphql::{Pos, ServerError};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident $name:literal;)*) => {
        /// Why the edge refused or gave up; clients and tests decide by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EdgeCode { $($(#[doc = $doc])* $code,)* }

        impl EdgeCode {
            /// All of them, for the tests that hold the list closed.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// As `extensions.code` spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// What it says, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),*),)* }
            }

            /// The code of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$code),)* _ => None }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or the URL's JSON parts are not.
    MalformedBody "MALFORMED_BODY";
    /// JSON, but not the parameters of one GraphQL request.
    MalformedRequest "MALFORMED_REQUEST";
    /// An array of requests.
    BatchRefused "BATCH_REFUSED";
    /// A request that a foreign page could have sent without a preflight.
    PreflightRequired "PREFLIGHT_REQUIRED";
    /// A page of an origin that is not on the list.
    OriginRefused "ORIGIN_REFUSED";
    /// The method, or a mutation by GET.
    MethodNotAllowed "METHOD_NOT_ALLOWED";
    /// No media type the client accepts can be made.
    NotAcceptable "NOT_ACCEPTABLE";
    /// The request did not arrive in time.
    RequestTimeout "REQUEST_TIMEOUT";
    /// The body is above its limit.
    BodyTooLarge "BODY_TOO_LARGE";
    /// The URL is above its limit.
    UrlTooLong "URL_TOO_LONG";
    /// The body is not `application/json`, not UTF-8, or compressed.
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE";
    /// The document is not GraphQL.
    ParseFailed "PARSE_FAILED";
    /// The document or its variables do not fit the schema.
    ValidationFailed "VALIDATION_FAILED";
    /// No document goes by that id.
    DocumentNotFound "DOCUMENT_NOT_FOUND";
    /// Only documents that are listed beforehand are answered here.
    DocumentNotTrusted "DOCUMENT_NOT_TRUSTED";
    /// No document of that hash was sent before; send it once along with its hash.
    PersistedQueryNotFound "PERSISTED_QUERY_NOT_FOUND";
    /// Documents are not remembered by their hashes here; send them whole.
    PersistedQueryNotSupported "PERSISTED_QUERY_NOT_SUPPORTED";
    /// No operation, or not exactly one, goes by that name.
    OperationNotFound "OPERATION_NOT_FOUND";
    /// The document asks for more than one request may.
    TooComplex "TOO_COMPLEX";
    /// Introspection is switched off here.
    IntrospectionDisabled "INTROSPECTION_DISABLED";
    /// An argument its type does not take.
    Invalid "INVALID";
    /// Signing in is needed, or the token is not good.
    Unauthenticated "UNAUTHENTICATED";
    /// The caller may not.
    Forbidden "FORBIDDEN";
    /// Too much was asked in too little time.
    RateLimited "RATE_LIMITED";
    /// Time ran out while the operation was running.
    DeadlineExceeded "DEADLINE_EXCEEDED";
    /// The answer is above its limit.
    AnswerTooLarge "ANSWER_TOO_LARGE";
    /// A reader of a stream does not keep up; it goes on from its last cursor.
    SlowConsumer "SLOW_CONSUMER";
    /// Too many requests are running.
    Overloaded "OVERLOADED";
    /// Something needed is out of reach.
    Unavailable "UNAVAILABLE";
    /// A defect; told to nobody but the log.
    Internal "INTERNAL";
}

impl EdgeCode {
    /// True when the same request succeeds with the document's text added to it.
    pub const fn asks_for_the_document(self) -> bool {
        matches!(self, Self::PersistedQueryNotFound | Self::PersistedQueryNotSupported)
    }

    /// True when the same request may succeed a little later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RequestTimeout
                | Self::RateLimited
                | Self::DeadlineExceeded
                | Self::SlowConsumer
                | Self::Overloaded
                | Self::Unavailable
        )
    }
}

/// A request the edge does not execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub code: EdgeCode,
    /// The same for people; never text of the client's beyond names.
    pub message: Cow<'static, str>,
    /// Where in the document.
    pub position: Option<Pos>,
}

impl Rejection {
    /// Refuses with a code and words.
    pub fn new(code: EdgeCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), position: None }
    }

    /// Says where in the document.
    #[must_use]
    pub fn at(mut self, position: Pos) -> Self {
        self.position = Some(position);
        self
    }

    /// As one entry of `errors`.
    pub fn into_error(self) -> ServerError {
        coded(ServerError::new(self.message, self.position), self.code)
    }
}

/// Puts an edge code on an error.
pub fn coded(mut error: ServerError, code: EdgeCode) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.name());
    if code.is_retryable() {
        extensions.set("retryable", true);
    }
    error
}
