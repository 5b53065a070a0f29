//! What a page elsewhere can make a browser send, with whatever credentials: nothing of it changes anything.

use moim_e2e::Platform;

use crate::scene::assert_quiet;
use crate::victim::{HIT, Victim};
use crate::wire::{request, send};

fn json_body() -> String {
    moim_e2e::json!({ "query": HIT }).to_string()
}

/// The mutation in a URL.
fn in_url() -> String {
    let encoded: String = HIT.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/graphql?query={encoded}")
}

#[tokio::test]
async fn no_method_but_post_changes_anything() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    let url = in_url();
    for (line, more) in [
        (format!("GET {url}"), ""),
        (format!("GET {url}"), "x-moim-csrf: 1\r\n"),
        (format!("GET {url}"), "x-http-method-override: POST\r\nx-http-method: POST\r\n"),
        (format!("GET {url}"), "accept: text/event-stream\r\n"),
        (format!("HEAD {url}"), ""),
        (format!("TRACE {url}"), ""),
        ("TRACE /graphql".to_owned(), "content-type: application/json\r\n"),
        ("OPTIONS /graphql".to_owned(), "content-type: application/json\r\n"),
        ("PUT /graphql".to_owned(), "content-type: application/json\r\n"),
        ("PATCH /graphql".to_owned(), "content-type: application/json\r\n"),
        ("DELETE /graphql".to_owned(), "content-type: application/json\r\n"),
        ("post /graphql".to_owned(), "content-type: application/json\r\n"),
        ("GET /graphql".to_owned(), "content-type: application/json\r\n"),
        (format!("POST {url}"), "content-type: application/json\r\n"),
    ] {
        let body = if line.starts_with(&format!("POST {url}")) { "{}".into() } else { json_body() };
        let headers = format!("{}{more}", victim.header());
        let raw = send(&victim.person, &request(&line, &headers, body.as_bytes())).await;
        assert!((400..500).contains(&raw.status()), "{line} {more}: {}", raw.text);
        // What was sent is not shown to whoever made a browser send it.
        assert!(!raw.text.contains("Bearer "), "{line}: {}", raw.text);
        victim.is_untouched(&line).await;
    }
    victim.can_be_hit().await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn no_body_but_json_changes_anything() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    let form: String = HIT.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("query={form}");
    let parts = format!(
        "--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n--x\r\n\
         content-disposition: form-data; name=\"map\"\r\n\r\n{{}}\r\n--x--\r\n",
        json_body()
    );
    for (kind, body) in [
        ("text/plain", json_body()),
        ("text/plain; application/json", json_body()),
        ("text/json", json_body()),
        ("application/x-www-form-urlencoded", json_body()),
        ("application/x-www-form-urlencoded", form.clone()),
        ("multipart/form-data; boundary=x", parts.clone()),
        ("multipart/mixed; boundary=x", parts),
        ("application/graphql", HIT.to_owned()),
        ("application/json-patch+json", json_body()),
        ("application/graphql-response+json", json_body()),
        ("application/jsonp", json_body()),
        ("application/json, text/plain", json_body()),
        ("text/plain, application/json", json_body()),
        ("application/json; charset=utf-7", json_body()),
        ("application/json; charset=utf-16le", json_body()),
        ("*/*", json_body()),
        (";application/json", json_body()),
        ("", json_body()),
    ] {
        let headers = format!("{}content-type: {kind}\r\n", victim.header());
        let raw = send(&victim.person, &request("POST /graphql", &headers, body.as_bytes())).await;
        assert_eq!(
            (raw.status(), &*raw.code()),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
            "{kind}: {}",
            raw.text
        );
        victim.is_untouched(kind).await;
    }
    let raw =
        send(&victim.person, &request("POST /graphql", &victim.header(), form.as_bytes())).await;
    assert_eq!(raw.status(), 415, "no type at all");
    victim.is_untouched("a body of no type").await;
    victim.can_be_hit().await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn no_page_of_another_origin_is_heard_or_encouraged() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    for origin in [
        "https://evil.example",
        "null",
        "http://moim.evil.example",
        "http://moim:81",
        "http://moim@evil.example",
        "file://",
        "//moim",
        "moim",
        "",
    ] {
        let headers =
            format!("{}origin: {origin}\r\ncontent-type: application/json\r\n", victim.header());
        let raw =
            send(&victim.person, &request("POST /graphql", &headers, json_body().as_bytes())).await;
        assert_eq!((raw.status(), &*raw.code()), (403, "ORIGIN_REFUSED"), "{origin}: {}", raw.text);
        assert_eq!(raw.header("access-control-allow-origin"), None, "{origin}");
        victim.is_untouched(origin).await;

        let asks = format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: authorization, content-type\r\n"
        );
        let raw = send(&victim.person, &request("OPTIONS /graphql", &asks, b"")).await;
        assert_eq!(raw.status(), 403, "{origin}: {}", raw.text);
        for name in ["origin", "headers", "methods", "credentials"] {
            let header = format!("access-control-allow-{name}");
            assert_eq!(raw.header(&header), None, "{origin}: {}", raw.text);
        }
    }
    victim.can_be_hit().await;
    assert_quiet(&platform);
}
