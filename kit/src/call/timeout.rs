//! How long a caller waits, as gRPC writes it into a header.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// How long the caller waits, as headers say.
pub(crate) fn timeout_in(headers: &HeaderMap) -> Option<Duration> {
    headers.get(&GRPC_TIMEOUT)?.to_str().ok().and_then(parse_timeout)
}

pub(super) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout").
pub(super) fn format_timeout(left: Duration) -> String {
    let us = left.as_micros();
    if us < 100_000_000 {
        format!("{us}u")
    } else {
        format!("{}m", left.as_millis().min(99_999_999))
    }
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_follow_the_grpc_form() {
        assert_eq!(parse_timeout("1500u"), Some(Duration::from_micros(1_500)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        for text in ["", "S", "1", "123456789S", "1x", "-1S", "한"] {
            assert_eq!(parse_timeout(text), None, "{text}");
        }
        assert_eq!(format_timeout(Duration::from_secs(200)), "200000m");
    }
}
