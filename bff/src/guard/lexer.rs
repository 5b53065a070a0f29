//! One pass over a document's text before anything allocates for it: length, tokens, nesting.

use super::Limits;
use super::code::{EdgeCode, Rejection};

/// Counts tokens and refuses texts above the limits; what is no token at all is left to the parser.
pub(super) fn count_tokens(text: &str, limits: &Limits) -> Result<u32, Rejection> {
    if text.len() > limits.text_bytes {
        return Err(too_complex("The document is too long."));
    }
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_u32, 0_u32);
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += span(&bytes[at..], |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'{' | b'(' | b'[' => {
                nesting += 1;
                if nesting > limits.nesting {
                    return Err(too_complex("The document is nested too deeply."));
                }
                1
            }
            b'}' | b')' | b']' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            b'"' => string_length(&bytes[at..]),
            b'.' => span(&bytes[at..], |byte| byte == b'.').min(3),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let name = span(&bytes[at..], |byte| byte == b'_' || byte.is_ascii_alphanumeric());
                if name > limits.name_bytes {
                    return Err(too_complex("A name in the document is too long."));
                }
                name
            }
            b'-' | b'0'..=b'9' => span(
                &bytes[at..],
                |byte| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'),
            ),
            _ => 1,
        };
        at += length;
        tokens += 1;
        if tokens > limits.tokens {
            return Err(too_complex("The document has too many tokens."));
        }
    }
    Ok(tokens)
}

fn too_complex(message: &'static str) -> Rejection {
    Rejection::new(EdgeCode::TooComplex, message)
}

fn span(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len())
}

/// Length of the string literal at the start of `bytes`, to the end of the text when it never closes.
fn string_length(bytes: &[u8]) -> usize {
    let block = bytes.starts_with(br#"""""#);
    let mut at = if block { 3 } else { 1 };
    while at < bytes.len() {
        let rest = &bytes[at..];
        if block {
            if rest.starts_with(br#"\""""#) {
                at += 4;
            } else if rest.starts_with(br#"""""#) {
                return at + 3;
            } else {
                at += 1;
            }
        } else {
            match rest[0] {
                b'\\' => at += 2,
                b'"' => return at + 1,
                b'\n' | b'\r' => return at,
                _ => at += 1,
            }
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<u32, EdgeCode> {
        count_tokens(text, &Limits::default()).map_err(|rejection| rejection.code)
    }

    #[test]
    fn tokens_are_counted_as_the_language_cuts_them() {
        for (text, count) in [
            ("", 0),
            ("{ a }", 3),
            ("{ a, b # comment { ( [\n}", 4),
            ("query Q($n: Int! = -1.5e+3) { a(n: $n) @skip(if: true) }", 27),
            ("{ ...F ... on T { a } }", 10),
            (r#"{ a(s: "x\"{{y", t: """b"c\"""{""") }"#, 11),
            ("\u{feff}{ a }", 6),
        ] {
            assert_eq!(tokens(text), Ok(count), "{text}");
        }
    }

    #[test]
    fn unclosed_strings_end_with_the_text() {
        assert_eq!(tokens("{ a(s: \"x"), Ok(6));
        assert_eq!(tokens("{ a(s: \"\"\"x\\"), Ok(6));
        assert_eq!(tokens("\"\\"), Ok(1));
    }

    #[test]
    fn long_wordy_and_nested_texts_are_refused() {
        assert_eq!(tokens(&"a ".repeat(1_000)), Ok(1_000));
        assert_eq!(tokens(&"a ".repeat(1_001)), Err(EdgeCode::TooComplex));
        assert_eq!(tokens(&"a".repeat(128)), Ok(1));
        assert_eq!(tokens(&"a".repeat(129)), Err(EdgeCode::TooComplex));
        assert_eq!(tokens(&"#".repeat(16_384)), Ok(0));
        assert_eq!(tokens(&"#".repeat(16_385)), Err(EdgeCode::TooComplex));
        assert_eq!(tokens(&"[".repeat(40)), Ok(40));
        assert_eq!(tokens(&"{".repeat(41)), Err(EdgeCode::TooComplex));
    }
}
