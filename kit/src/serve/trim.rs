//! Keeps what an answer says of its failure short: headers that are too large end the connection, and with
//! it the calls of everybody else on it.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;

const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// Peers take 16 KiB of headers in all by default.
const MOST: usize = 8 * 1024;
/// Of a message that has to be cut.
const MESSAGE_MOST: usize = 1_024;

/// The same answer, its failure told in few words.
pub(super) fn trimmed(mut response: Response<Body>) -> Response<Body> {
    trim(response.headers_mut());
    if response.body().is_end_stream() {
        return response;
    }
    // What fails late says so in its trailers.
    response.map(|body| {
        Body::new(body.map_frame(|mut frame| {
            frame.trailers_mut().into_iter().for_each(trim);
            frame
        }))
    })
}

fn trim(headers: &mut HeaderMap) {
    let length = |name: &HeaderName| headers.get(name).map_or(0, HeaderValue::len);
    let (message, details) = (length(&MESSAGE), length(&DETAILS));
    if message + details <= MOST {
        return;
    }
    tracing::error!(message, details, "a failure is told in too many words; cut");
    if let Some(value) = headers.get(&MESSAGE).filter(|value| value.len() > MESSAGE_MOST)
        && let Some(short) = cut(value)
    {
        headers.insert(MESSAGE, short);
    }
    // Half a detail cannot be read; its code still tells the kind of failure.
    if message.min(MESSAGE_MOST) + details > MOST {
        headers.remove(&DETAILS);
    }
}

/// Its beginning; a character that takes several bytes is kept whole or left out.
fn cut(value: &HeaderValue) -> Option<HeaderValue> {
    let bytes = &value.as_bytes()[..MESSAGE_MOST];
    let decoded = percent_decoded(bytes);
    let whole = match std::str::from_utf8(&decoded) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&decoded[..error.valid_up_to()]).unwrap_or_default(),
    };
    // Encoded anew by the one who knows how.
    let headers = Status::unknown(whole).into_http::<()>().into_parts().0.headers;
    headers.get(&MESSAGE).cloned()
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%');
        let code = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                decoded.push(code);
                rest = &after[2..];
            }
            None if byte == b'%' => break,
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed_status(status: Status) -> Status {
        let response = trimmed(status.into_http());
        let length: usize = response.headers().values().map(HeaderValue::len).sum();
        assert!(length <= MOST + 64, "{length}");
        Status::from_header_map(response.headers()).unwrap()
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        for message in
            ["a".repeat(40_000), "모임".repeat(9_000), format!("a{}", "모".repeat(9_000))]
        {
            let got = trimmed_status(Status::not_found(&message));
            assert_eq!(got.code(), tonic::Code::NotFound);
            assert!(!got.message().is_empty() && message.starts_with(got.message()));
        }
    }

    #[test]
    fn details_that_are_too_long_are_left_out_and_short_ones_stay() {
        let long = Status::with_details(tonic::Code::Aborted, "short", vec![7; 30_000].into());
        let got = trimmed_status(long);
        assert_eq!((got.message(), got.details().len()), ("short", 0));
        let both =
            Status::with_details(tonic::Code::Aborted, "a".repeat(20_000), vec![7; 500].into());
        assert_eq!(trimmed_status(both).details().len(), 500);
    }
}
