//! Bodies made to eat memory or time, or to be read as something that they are not.

use std::time::Duration;

use moim_e2e::{Client, Platform, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::scene::assert_quiet;
use crate::victim::{HIT, Victim};
use crate::wire::{Raw, answers, connect, read, request, send};

const POST: &str = "POST /graphql";
const JSON: &str = "content-type: application/json\r\n";
/// For a body that is refused as soon as it is too large; more is a server that swallows it all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes for as long as it is taken, and reads what came of it.
async fn pour(client: &Client, head: &str, piece: &[u8], pieces: usize) -> (Raw, usize) {
    let mut stream = connect(client).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut taken = 0;
    let pouring = async {
        while taken < pieces && stream.write_all(piece).await.is_ok() {
            taken += 1;
        }
    };
    timeout(PATIENCE, pouring).await.expect("it is neither taken nor refused");
    (read(&mut stream).await, taken)
}

#[tokio::test]
async fn twenty_megabytes_are_refused_long_before_they_are_there() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    answers(&client, "nothing yet").await;
    let piece = [b'x'; 0x10000];
    let head = |framing: &str| format!("{POST} HTTP/1.1\r\nhost: moim\r\n{JSON}{framing}\r\n\r\n");
    let announced = head("content-length: 20971520");
    let chunked = head("transfer-encoding: chunked");
    let chunk = [&b"10000\r\n"[..], &piece, b"\r\n"].concat();
    for (head, piece) in [(&announced, &piece[..]), (&chunked, &chunk[..])] {
        let (raw, taken) = pour(&client, head, piece, 320).await;
        // Whoever still sends when the connection is closed may lose the answer.
        assert!(matches!(raw.status(), 0 | 413), "{}", raw.text);
        assert!(taken < 200, "{taken} pieces of 64 KiB were taken");
        answers(&client, "twenty megabytes").await;
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn nothing_that_is_packed_is_unpacked() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    // The head of a gzip stream; what follows would be as long as one likes.
    let bomb = [&[0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 4_096]].concat();
    let plain = json!({ "query": HIT }).to_string().into_bytes();
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity", "x", ""] {
        for body in [&bomb, &plain] {
            let headers = format!("{}{JSON}content-encoding: {encoding}\r\n", victim.header());
            let raw = send(&victim.person, &request(POST, &headers, body)).await;
            assert_eq!((raw.status(), &*raw.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{encoding}");
        }
        victim.is_untouched(encoding).await;
    }
    let raw = send(&victim.person, &request(POST, JSON, &bomb)).await;
    assert_eq!((raw.status(), &*raw.code()), (400, "MALFORMED_BODY"));
    victim.can_be_hit().await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn json_that_is_bottomless_or_no_json_is_refused_with_a_code() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    answers(&client, "nothing yet").await;
    let deep = |key: &str, open: &str, close: &str, levels: usize| {
        let (open, close) = (open.repeat(levels), close.repeat(levels));
        format!(r#"{{"query":"{{ __typename }}","{key}":{open}1{close}}}"#).into_bytes()
    };
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    for key in ["variables", "extensions", "id", "doc_id", "documentId", "operationName"] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            for levels in [200, 10_000] {
                bodies.push((format!("{key} {open} {levels}"), deep(key, open, close, levels)));
            }
        }
    }
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (what, body) in [
        ("brackets alone", vec![b'['; 100_000]),
        ("braces alone", vec![b'{'; 100_000]),
        ("a mark before it", b"\xef\xbb\xbf{\"query\":\"{ __typename }\"}".to_vec()),
        ("UTF-16", utf16(r#"{"query":"{ __typename }"}"#)),
        ("an overlong slash", b"{\"query\":\"{ __typename } #\xc0\xaf\"}".to_vec()),
        ("half a surrogate in bytes", b"{\"query\":\"{ __typename } #\xed\xa0\x80\"}".to_vec()),
        ("half a surrogate in a name", br#"{"query":"{ a }","variables":{"\ud800":1}}"#.to_vec()),
        ("a zero byte", b"{\"query\":\"{ __typename }\0\"}".to_vec()),
        ("a line break in a text", b"{\"query\":\"{ __typename }\n\"}".to_vec()),
        ("a comma too many", br#"{"query":"{ __typename }",}"#.to_vec()),
        ("single quotes", b"{'query':'{ __typename }'}".to_vec()),
        ("a comment", br#"{"query":"{ __typename }"/* x */}"#.to_vec()),
        ("NaN", br#"{"query":"{ __typename }","variables":{"a":NaN}}"#.to_vec()),
        ("Infinity", br#"{"query":"{ __typename }","variables":{"a":-Infinity}}"#.to_vec()),
        ("hexadecimal", br#"{"query":"{ __typename }","variables":{"a":0x10}}"#.to_vec()),
        ("a leading zero", br#"{"query":"{ __typename }","variables":{"a":01}}"#.to_vec()),
        ("a leading plus", br#"{"query":"{ __typename }","variables":{"a":+1}}"#.to_vec()),
        (
            "a number without end",
            br#"{"query":"{ __typename }","variables":{"a":1e99999}}"#.to_vec(),
        ),
        ("two values", br#"{"query":"{ __typename }"}{"query":"{ __typename }"}"#.to_vec()),
        ("a callback", br#"f({"query":"{ __typename }"})"#.to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"b\">]><a>&b;</a>".to_vec()),
    ] {
        bodies.push((what.to_owned(), body));
    }
    for (what, body) in bodies {
        let raw = send(&client, &request(POST, JSON, &body)).await;
        let coded =
            matches!(&*raw.code(), "MALFORMED_BODY" | "MALFORMED_REQUEST" | "BATCH_REFUSED");
        assert!(raw.status() == 400 && coded, "{what}: {}", raw.text);
        answers(&client, &what).await;
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn numbers_and_texts_that_no_type_holds_are_refused_and_never_a_defect() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    answers(&client, "nothing yet").await;
    let number = |n: &str| {
        format!(
            r#"{{"query":"query($n: Int!) {{ gatherings(first: $n) {{ edges {{ cursor }} }} }}","variables":{{"n":{n}}}}}"#
        )
    };
    let text = |s: &str| {
        format!(
            r#"{{"query":"query($s: ID!) {{ node(id: $s) {{ id }} }}","variables":{{"s":"{s}"}}}}"#
        )
    };
    let digits = "9".repeat(400);
    for n in [
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e308",
        "-1e308",
        "1.7976931348623157e308",
        "0.1",
        "5e-324",
        &digits,
    ] {
        let body = client.post(&[], number(n)).await.body;
        let code = &body["errors"][0]["extensions"]["code"];
        let refused = ["VALIDATION_FAILED", "INVALID", "MALFORMED_BODY", "TOO_COMPLEX"];
        assert!(refused.iter().any(|it| code == it), "{n}: {body}");
        answers(&client, n).await;
    }
    for s in [
        r"\u0000",
        r"\u0000\u0000\u0000",
        r"\ufffe\uffff",
        r"\u202e",
        r"\ud83d\ude00",
        r"\u001b[31m",
    ] {
        let body = client.post(&[], text(s)).await.body;
        // There is no such thing, or the id is none; either way nobody stumbles.
        let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none");
        assert!(matches!(code, "none" | "INVALID" | "NOT_FOUND"), "{s}: {body}");
        assert_eq!(body["data"]["node"], Value::Null, "{s}");
        answers(&client, s).await;
    }
    assert_quiet(&platform);
}
