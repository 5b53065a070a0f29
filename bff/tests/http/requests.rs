//! What must be refused before GraphQL is looked at, and what must not.

use moim_bff::http::Settings;
use serde_json::json;
use std::sync::atomic::Ordering;

use crate::stand::{GRAPHQL, JSON, Stand, told};

#[tokio::test]
async fn only_get_and_post_are_answered() {
    let stand = Stand::open(Settings::default()).await;
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let told = told(reqwest::Client::new().request(method, stand.url("/graphql"))).await;
        assert_eq!((told.status, told.header("allow")), (405, "GET, POST"));
    }
}

#[tokio::test]
async fn a_mutation_by_get_is_not_executed() {
    let stand = Stand::open(Settings::default()).await;
    for accept in [JSON, GRAPHQL] {
        let told = stand.get("mutation { bump }", &[("accept", accept)]).await;
        assert_eq!((told.status, told.header("allow")), (405, "GET, POST"));
        assert_eq!(told.code(), "METHOD_NOT_ALLOWED");
    }
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    assert_eq!(stand.post("mutation { bump }", JSON).await.body["data"]["bump"], 1);
}

#[tokio::test]
async fn queries_by_get_take_their_parameters_from_the_url() {
    let stand = Stand::open(Settings::default()).await;
    let request = reqwest::Client::new().get(stand.url("/graphql")).query(&[
        ("query", "query One { hello } query Sum($a: Int!) { add(a: $a, b: 1) }"),
        ("operationName", "Sum"),
        ("variables", r#"{"a":41}"#),
        ("extensions", ""),
    ]);
    assert_eq!(told(request).await.body["data"]["add"], 42);
    assert_eq!(stand.get("", &[]).await.code(), "PARSE_FAILED");
    let told = told(reqwest::Client::new().get(stand.url("/graphql"))).await;
    assert_eq!((told.status, told.code()), (400, "MALFORMED_REQUEST"));
}

#[tokio::test]
async fn plain_gets_of_foreign_pages_are_refused_and_all_plain_gets_when_strict() {
    let lax = Stand::open(Settings::default()).await;
    let strict = Stand::open(Settings { strict_get: true, ..Settings::default() }).await;
    for (headers, by_lax, by_strict) in [
        (&[][..], 200, 403),
        (&[("sec-fetch-site", "none")][..], 200, 403),
        (&[("sec-fetch-site", "cross-site")][..], 403, 403),
        (&[("sec-fetch-site", "same-site")][..], 403, 403),
        (&[("sec-fetch-site", "cross-site"), ("x-moim-csrf", "1")][..], 200, 200),
        (&[("apollo-require-preflight", "true")][..], 200, 200),
        (&[("x-apollo-operation-name", "Q")][..], 200, 200),
    ] {
        assert_eq!(lax.get("{ hello }", headers).await.status, by_lax, "{headers:?}");
        let told = strict.get("{ hello }", headers).await;
        assert_eq!(told.status, by_strict, "{headers:?}");
        assert_eq!(told.code() == "PREFLIGHT_REQUIRED", by_strict == 403);
    }
}

#[tokio::test]
async fn bodies_must_be_plain_json_in_utf8() {
    let stand = Stand::open(Settings::default()).await;
    let query = r#"{"query":"mutation { bump }"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/graphql+json",
        "application/jsonx",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "application/json; charset=euc-kr",
        "",
    ] {
        let told = stand.post_raw(query, kind).await;
        assert_eq!((told.status, told.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{kind}");
    }
    let none = reqwest::Client::new().post(stand.url("/graphql")).body(query);
    assert_eq!(told(none).await.status, 415);
    let packed = reqwest::Client::new().post(stand.url("/graphql")).body(query);
    let packed = packed.header("content-type", JSON).header("content-encoding", "gzip");
    assert_eq!(told(packed).await.status, 415);
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    for kind in
        ["application/json", "Application/JSON; Charset=\"UTF-8\"", "application/json;charset=utf8"]
    {
        assert_eq!(stand.post_raw(query, kind).await.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_400_in_every_media_type() {
    let stand = Stand::open(Settings::default()).await;
    for (body, code) in [
        ("", "MALFORMED_BODY"),
        ("{", "MALFORMED_BODY"),
        ("null", "MALFORMED_REQUEST"),
        ("[]", "BATCH_REFUSED"),
        (r#"[{"query":"{ hello }"}]"#, "BATCH_REFUSED"),
        (r#"{"query":["{ hello }"]}"#, "MALFORMED_REQUEST"),
        (r#"{"query":"{ hello }","variables":"x"}"#, "MALFORMED_REQUEST"),
        (r#"{"query":"{ hello }","operationName":1}"#, "MALFORMED_REQUEST"),
        (r#"{"query":"{ hello }","extensions":[]}"#, "MALFORMED_REQUEST"),
        (r#"{"operationName":"Q"}"#, "MALFORMED_REQUEST"),
    ] {
        let told = stand.post_raw(body, JSON).await;
        assert_eq!((told.status, told.code()), (400, code), "{body}");
        assert!(!told.has_data());
    }
}

#[tokio::test]
async fn bodies_above_the_limit_are_refused_at_once_announced_or_not() {
    let stand = Stand::open(Settings::default()).await;
    let announced = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                     Content-Length: 20000000\r\n\r\n";
    let answer = stand.raw(announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("BODY_TOO_LARGE"), "{answer}");

    let mut chunked = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..33 {
        chunked.extend_from_slice(b"1000\r\n");
        chunked.extend_from_slice(&[b' '; 4_096]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = stand.raw(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let fits = format!(r#"{{"query":"{{ hello }}"{}}}"#, " ".repeat(127 * 1_024));
    assert_eq!(stand.post_raw(fits, JSON).await.status, 200);
}

#[tokio::test]
async fn long_urls_and_headers_are_refused() {
    let stand = Stand::open(Settings::default()).await;
    let told = stand.get(&format!("{{ hello }} #{}", "x".repeat(17_000)), &[]).await;
    assert_eq!((told.status, told.code()), (414, "URL_TOO_LONG"));
    let headers =
        format!("GET /graphql HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000));
    let answer = stand.raw(headers.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn ambiguous_lengths_get_one_answer() {
    let stand = Stand::open(Settings::default()).await;
    for framing in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
    ] {
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\
             Connection: close\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let answer = stand.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{framing}{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framing}{answer}");
    }
}

#[tokio::test]
async fn answers_above_the_limit_become_an_error() {
    let stand = Stand::open(Settings { answer_bytes: 10_000, ..Settings::default() }).await;
    assert_eq!(stand.post("{ text(bytes: 9000) }", GRAPHQL).await.status, 200);
    let told = stand.post("{ text(bytes: 10000) }", GRAPHQL).await;
    assert_eq!((told.status, told.code()), (400, "ANSWER_TOO_LARGE"));
}

#[tokio::test]
async fn limits_of_the_guard_are_told_as_errors_of_the_request() {
    let stand = Stand::open(Settings::default()).await;
    let query = format!("{{ {} }}", "hello ".repeat(21));
    for (accept, status) in [(JSON, 200), (GRAPHQL, 400)] {
        let told = stand.post_json(&json!({ "query": query }), accept).await;
        assert_eq!((told.status, told.code()), (status, "TOO_COMPLEX"));
    }
}
