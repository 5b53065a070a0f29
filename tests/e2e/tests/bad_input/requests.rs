//! HTTP requests that never become GraphQL: each gets its own status and code, at once.

use moim_e2e::{Platform, json};

use crate::scene::assert_quiet;
use crate::wire::{answers, request, send};

const JSON: &str = "content-type: application/json\r\n";
const ASK: &[u8] = br#"{"query":"{ __typename }"}"#;

/// A request line, headers, a body, and what comes back.
struct Case {
    line: &'static str,
    headers: &'static str,
    body: &'static [u8],
    status: u16,
    code: &'static str,
}

const fn case(
    line: &'static str,
    headers: &'static str,
    body: &'static [u8],
    status: u16,
    code: &'static str,
) -> Case {
    Case { line, headers, body, status, code }
}

const POST: &str = "POST /graphql";
const MALFORMED: &[(&[u8], &str)] = &[
    (b"", "MALFORMED_BODY"),
    (b"{", "MALFORMED_BODY"),
    (b"\0", "MALFORMED_BODY"),
    (b"query { __typename }", "MALFORMED_BODY"),
    (br#"{"query":"{ __typename }"} x"#, "MALFORMED_BODY"),
    (b"{\"query\":\"\xff\"}", "MALFORMED_BODY"),
    (br#"{"query":"\ud800"}"#, "MALFORMED_BODY"),
    (br#"{"query":"{ __typename }","variables":{"a":"\udc00\ud800"}}"#, "MALFORMED_BODY"),
    (br#"{"query":"{ __typename }","variables":{"a":1e999}}"#, "MALFORMED_BODY"),
    (b"null", "MALFORMED_REQUEST"),
    (b"5", "MALFORMED_REQUEST"),
    (b"{}", "MALFORMED_REQUEST"),
    (br#"{"query":null}"#, "MALFORMED_REQUEST"),
    (br#"{"query":5}"#, "MALFORMED_REQUEST"),
    (br#"{"query":"{ __typename }","variables":[]}"#, "MALFORMED_REQUEST"),
    (br#"{"query":"{ __typename }","variables":"x"}"#, "MALFORMED_REQUEST"),
    (br#"{"query":"{ __typename }","operationName":5}"#, "MALFORMED_REQUEST"),
    (br#"{"query":"{ __typename }","extensions":[]}"#, "MALFORMED_REQUEST"),
    (br#"{"query":"{ a }","query":"{ b }"}"#, "MALFORMED_REQUEST"),
    (br#"[{"query":"{ __typename }"}]"#, "BATCH_REFUSED"),
    (b"[]", "BATCH_REFUSED"),
];

const CASES: &[Case] = &[
    case(POST, "", ASK, 415, "UNSUPPORTED_MEDIA_TYPE"),
    case(POST, "content-type: text/plain\r\n", ASK, 415, "UNSUPPORTED_MEDIA_TYPE"),
    case(POST, "content-type: application/graphql\r\n", ASK, 415, "UNSUPPORTED_MEDIA_TYPE"),
    case(
        POST,
        "content-type: multipart/form-data; boundary=x\r\n",
        ASK,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    case(
        POST,
        "content-type: application/x-www-form-urlencoded\r\n",
        ASK,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    case(
        POST,
        "content-type: application/json; charset=utf-16\r\n",
        ASK,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    case(
        POST,
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
        ASK,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    case(
        POST,
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
        ASK,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    case(
        POST,
        "content-type: application/json\r\naccept: text/html\r\n",
        ASK,
        406,
        "NOT_ACCEPTABLE",
    ),
    case(
        POST,
        "content-type: application/json\r\naccept: application/json;q=0\r\n",
        ASK,
        406,
        "NOT_ACCEPTABLE",
    ),
    case(
        POST,
        "content-type: application/json\r\naccept: application/json; charset=latin1\r\n",
        ASK,
        406,
        "NOT_ACCEPTABLE",
    ),
    case("PUT /graphql", JSON, ASK, 405, "METHOD_NOT_ALLOWED"),
    case("PATCH /graphql", JSON, ASK, 405, "METHOD_NOT_ALLOWED"),
    case("DELETE /graphql", "", b"", 405, "METHOD_NOT_ALLOWED"),
    case("OPTIONS /graphql", "", b"", 405, "METHOD_NOT_ALLOWED"),
    case("TRACE /graphql", "", b"", 405, "METHOD_NOT_ALLOWED"),
    case("BREW /graphql", "", b"", 405, "METHOD_NOT_ALLOWED"),
    case(
        "GET /graphql?query=mutation%7BauthLogOut(input:%7B%7D)%7BuserErrors%7Bcode%7D%7D%7D",
        "",
        b"",
        405,
        "METHOD_NOT_ALLOWED",
    ),
    case("GET /graphql?variables=%7B%7D", "", b"", 400, "MALFORMED_REQUEST"),
    case("GET /graphql?query=%7B__typename%7D&variables=%7B", "", b"", 400, "MALFORMED_BODY"),
    case(
        "GET /graphql?query=%7B__typename%7D&query=%7B__typename%7D",
        "",
        b"",
        400,
        "MALFORMED_REQUEST",
    ),
    case(
        "GET /graphql?query=%7B__typename%7D",
        "sec-fetch-site: cross-site\r\n",
        b"",
        403,
        "PREFLIGHT_REQUIRED",
    ),
    case(
        POST,
        "content-type: application/json\r\norigin: https://evil.example\r\n",
        ASK,
        403,
        "ORIGIN_REFUSED",
    ),
    case("GET /nowhere", "", b"", 404, ""),
    case("GET /calendar/x.ics", "", b"", 404, ""),
    case("GET /calendar/%00.ics?signature=%00", "", b"", 404, ""),
    case("POST /healthz", "", b"", 405, ""),
];

#[tokio::test]
async fn each_refusal_has_its_status_and_code_and_the_next_request_is_answered() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let malformed = MALFORMED.iter().map(|(body, code)| case(POST, JSON, body, 400, code));
    let mut wrong = Vec::new();
    for case in malformed.chain(CASES.iter().map(|one| Case { ..*one })) {
        let raw = send(&client, &request(case.line, case.headers, case.body)).await;
        let fits = raw.status() == case.status && raw.code() == case.code;
        let allows =
            raw.status() != 405 || raw.header("allow").is_some_and(|it| it.contains("GET"));
        if !fits || !allows {
            let Case { line, headers, status, code, .. } = case;
            wrong.push(format!("{line} {headers:?}: expected {status} {code}: {}", raw.text));
        }
        answers(&client, case.line).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_quiet(&platform);
}

#[tokio::test]
async fn bodies_addresses_and_headers_that_are_too_large_are_refused_unread() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let query = format!("{{\"query\":\"{{ __typename }} #{}\"}}", "x".repeat(200 * 1024));
    let raw = send(&client, &request(POST, JSON, query.as_bytes())).await;
    assert_eq!((raw.status(), raw.code().as_str()), (413, "BODY_TOO_LARGE"));
    answers(&client, "a body of 200 KB").await;

    // Announced only: nobody waits for a gigabyte.
    let head = format!("{POST} HTTP/1.1\r\nhost: x\r\n{JSON}content-length: 1073741824\r\n\r\n");
    assert_eq!(send(&client, head.as_bytes()).await.status(), 413);
    answers(&client, "the announcement of a gigabyte").await;

    // Not announced at all.
    let head = format!("{POST} HTTP/1.1\r\nhost: x\r\n{JSON}transfer-encoding: chunked\r\n\r\n");
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let raw = send(&client, (head + &chunk.repeat(20)).as_bytes()).await;
    assert_eq!((raw.status(), raw.code().as_str()), (413, "BODY_TOO_LARGE"));
    answers(&client, "chunks without end").await;

    let line = format!("GET /graphql?query=%7B__typename%7D&x={}", "x".repeat(20 * 1024));
    let raw = send(&client, &request(&line, "", b"")).await;
    assert_eq!((raw.status(), raw.code().as_str()), (414, "URL_TOO_LONG"));
    answers(&client, "a long address").await;

    let headers = format!("x-much: {}\r\n", "x".repeat(200 * 1024));
    assert_eq!(send(&client, &request(POST, &headers, ASK)).await.status(), 431);
    let headers: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    assert_eq!(send(&client, &request(POST, &headers, ASK)).await.status(), 431);
    answers(&client, "many headers").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET /graphql\r\n\r\n",
        b"GET /graphql HTTP/9.9\r\nhost: x\r\n\r\n",
        b"GET /gra\0phql HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /graphql HTTP/1.1\r\nhost : x\r\n\r\n",
    ] {
        let raw = send(&client, bytes).await;
        let shown = String::from_utf8_lossy(bytes);
        assert!(
            (400..500).contains(&raw.status()) || raw.text.is_empty(),
            "{shown:?}: {}",
            raw.text
        );
        answers(&client, &shown).await;
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn headers_of_nonsense_count_as_not_sent() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let long = "A".repeat(30_000);
    for (name, value) in [
        ("x-moim-seen", "nonsense"),
        ("x-moim-seen", "AAAA"),
        ("x-moim-seen", &long),
        ("cookie", "moim-seen=%%%; moim-seen=; =; ;;"),
        ("cookie", &long),
        ("traceparent", "00-00000000000000000000000000000000-0000000000000000-00"),
        ("traceparent", &long),
        ("accept-language", "\t,,;q=x,ko;q=9"),
        ("accept-language", &long),
        ("idempotency-key", "from a header"),
        ("grpc-timeout", "1n"),
        ("x-forwarded-for", "nonsense"),
    ] {
        let answer = client.send_with("{ regions { id } }", json!({}), &[(name, value)]).await;
        assert!(answer.data()["regions"].is_array(), "{name}: {}", answer.body);
    }
    assert_quiet(&platform);
}
