//! The trace a request belongs to (W3C Trace Context, version 00), passed on with every call and fact, and the
//! spans of which it is told.
//!
//! A [`Trace`] names one span and costs nothing; it is the same in headers, facts, logs and errors. A [`Span`] is what
//! is sent of it, when anybody wants it: begun with a trace as its parent, and a trace for what it causes. What runs
//! [`Within`] a trace has it as [`current`], on whatever task.

mod ambient;
pub(crate) mod rpc;
mod span;

use std::fmt;
use std::str::FromStr;

pub use ambient::{InTrace, Within, current};
pub use opentelemetry::trace::SpanKind as Kind;
pub use span::{Recorded, Span};
pub(crate) use span::{collect, collect_nothing};

/// Name of the header and metadata key that carries it.
pub const HEADER: &str = "traceparent";

/// One span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

/// A `traceparent` that is not of the form the standard gives.
#[derive(Debug, thiserror::Error)]
#[error("not a traceparent")]
pub struct NotATraceparent;

impl Trace {
    /// Starts a trace that is not sent; one that may be begins with [`Span::root`].
    pub fn fresh() -> Self {
        Self { trace_id: rand::random_range(1..=u128::MAX), span_id: fresh_span(), sampled: false }
    }

    /// Takes up what a caller sent, or starts a trace when it sent none or nonsense.
    pub fn continued(traceparent: Option<&str>) -> Self {
        traceparent
            .and_then(|text| text.parse::<Self>().ok())
            .map_or_else(Self::fresh, |trace| trace.child())
    }

    /// A span within the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: fresh_span(), ..self }
    }

    /// The trace of what runs here now, or one that is not sent.
    pub fn here() -> Self {
        current().unwrap_or_else(Self::fresh)
    }

    /// The same span as far as logs are concerned, without spans of its own below it.
    #[must_use]
    pub fn unsent(self) -> Self {
        Self { sampled: false, ..self }
    }

    /// True when its spans are sent.
    pub fn is_sampled(self) -> bool {
        self.sampled
    }

    /// 32 hexadecimal digits, for logs and error extensions.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// 16 hexadecimal digits, for logs.
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span_id)
    }
}

fn fresh_span() -> u64 {
    rand::random_range(1..=u64::MAX)
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl FromStr for Trace {
    type Err = NotATraceparent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            parts
                .next()
                .filter(|part| {
                    part.len() == length
                        && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                })
                .ok_or(NotATraceparent)
        };
        let version = part(2)?;
        let trace_id = u128::from_str_radix(part(32)?, 16).map_err(|_| NotATraceparent)?;
        let span_id = u64::from_str_radix(part(16)?, 16).map_err(|_| NotATraceparent)?;
        let flags = u8::from_str_radix(part(2)?, 16).map_err(|_| NotATraceparent)?;
        if version == "ff"
            || trace_id == 0
            || span_id == 0
            || (version == "00" && parts.next().is_some())
        {
            return Err(NotATraceparent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_stays_in_the_trace_of_its_caller() {
        let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let got = Trace::continued(Some(sent));
        assert_eq!(got.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(got.to_string(), sent);
        assert_eq!(got.to_string().parse::<Trace>().ok(), Some(got));
    }

    #[test]
    fn nonsense_starts_a_trace_of_its_own() {
        for text in [
            "",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert!(text.parse::<Trace>().is_err(), "{text}");
        }
        assert_ne!(Trace::continued(Some("x")).trace_id(), Trace::continued(None).trace_id());
    }
}
