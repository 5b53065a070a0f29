//! Scalars of the schema: instants and URLs.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, Utc};

/// An instant, RFC 3339 with offset, such as 2026-12-24T19:00:00+09:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(i64);

impl DateTime {
    /// From microseconds since the epoch.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since the epoch.
    pub const fn us(self) -> i64 {
        self.0
    }
}

/// An instant, RFC 3339 with offset, such as 2026-12-24T19:00:00+09:00.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|instant| Self(instant.timestamp_micros()))
            .map_err(|_| {
                InputValueError::custom("not an instant as RFC 3339 writes it, with offset")
            })
    }

    fn to_value(&self) -> Value {
        let instant = chrono::DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or_default();
        Value::String(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// An absolute URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

/// An absolute URL.
#[Scalar(name = "URL", specified_by_url = "https://url.spec.whatwg.org/")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else { return Err(InputValueError::expected_type(value)) };
        // The parser drops or escapes blanks and controls; an address that needs that is none.
        let blank = |letter: char| letter.is_whitespace() || letter.is_control();
        match url::Url::parse(&text) {
            Ok(_) if !text.contains(blank) => Ok(Self(text)),
            _ => Err(InputValueError::custom("not an absolute URL")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_its_moment_whatever_its_offset() {
        let parse = |text: &str| DateTime::parse(Value::String(text.to_owned())).ok();
        let seoul = parse("2026-12-24T19:00:00+09:00");
        assert_eq!(seoul, parse("2026-12-24T10:00:00Z"));
        assert_eq!(seoul.map(|it| it.to_value()), Some(Value::from("2026-12-24T10:00:00Z")));
        for text in ["", "2026-12-24", "2026-12-24T19:00:00", "tomorrow"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
