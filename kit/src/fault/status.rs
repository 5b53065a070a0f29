//! Faults as they cross the wire: to a gRPC status and back.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use super::{Code, Fault, Inner};

const DOMAIN: &str = "moim";
/// Set in `ErrorInfo` when something that the room itself needs is out of reach.
const OUTAGE: &str = "outage";

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let failed = fault.0.source.is_some();
        if failed {
            tracing::error!(reason = fault.reason(), error = %fault, "call failed");
        }
        let Inner {
            code, reason, message, korean, field, about, shortfall_krw, retry_after, ..
        } = *fault.0;
        let mut metadata = HashMap::from([("code".to_owned(), code.name().to_owned())]);
        let shortfall = shortfall_krw.map(|krw| krw.to_string());
        let outage = (failed && code == Code::Unavailable).then(|| "1".to_owned());
        let more = [
            ("field", field.map(Cow::into_owned)),
            ("about", about),
            ("shortfall_krw", shortfall),
            (OUTAGE, outage),
        ];
        for (name, value) in more {
            metadata.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        if let Some(korean) = korean {
            details.set_localized_message("ko", korean);
        }
        if let Some(wait) = retry_after {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(code.grpc(), message, details)
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let retry_after = pushback(&status).flatten();
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
            fault.0.retry_after = retry_after;
            return fault;
        }
        let (code, message) = match status.code() {
            tonic::Code::Unavailable | tonic::Code::Cancelled => {
                (Code::Unavailable, "Not available right now.")
            }
            tonic::Code::DeadlineExceeded => (Code::DeadlineExceeded, "It took too long."),
            tonic::Code::Unauthenticated => (Code::Unauthenticated, "Sign in first."),
            tonic::Code::ResourceExhausted => (Code::RateLimited, "Too much at once."),
            tonic::Code::Aborted => (Code::Conflict, "Someone else was changing this; try again."),
            _ => (Code::Internal, "Something went wrong."),
        };
        let mut fault = Self::new(code, code.name(), message).because(status);
        fault.0.retry_after = retry_after;
        fault
    }
}

/// True when a room gave a reason of its own and is in order itself: it spoke of whoever asks, not of itself.
pub(crate) fn is_told(status: &Status) -> bool {
    let details = status.get_error_details();
    let told = details.error_info().filter(|info| info.domain == DOMAIN);
    told.is_some_and(|info| !info.metadata.contains_key(OUTAGE))
}

/// What a status says of another try: after so long, not at all (`Some(None)`), or nothing.
pub(crate) fn pushback(status: &Status) -> Option<Option<Duration>> {
    if let Some(value) = status.metadata().get("grpc-retry-pushback-ms") {
        // Whatever is no number of milliseconds means: do not.
        let ms = value.to_str().ok().and_then(|text| text.parse().ok());
        return Some(ms.map(Duration::from_millis));
    }
    status.get_details_retry_info().and_then(|info| info.retry_delay).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_lacks_what_it_needs_is_told_from_one_that_refuses() {
        let refused = Fault::new(Code::Unavailable, "COPY_BEHIND", "Not yet.");
        assert!(is_told(&refused.into()));
        let lacking = Fault::unavailable("DATABASE_UNAVAILABLE", "gone");
        assert!(!is_told(&lacking.into()));
        assert!(!is_told(&Status::unavailable("refused")));
    }

    #[test]
    fn pushback_is_read_from_metadata_and_from_details() {
        let mut status = Status::unavailable("later");
        assert_eq!(pushback(&status), None);
        for (value, expected) in [("70", Some(Duration::from_millis(70))), ("-1", None)] {
            status.metadata_mut().insert("grpc-retry-pushback-ms", value.parse().unwrap());
            assert_eq!(pushback(&status), Some(expected));
        }
        let wait = Duration::from_millis(90);
        let fault = Fault::new(Code::Unavailable, "LATER", "Later.").after(wait);
        assert_eq!(pushback(&fault.into()), Some(Some(wait)));
    }
}
