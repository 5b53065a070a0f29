//! Headers that every answer has, whatever was asked and however it was refused.

use moim_bff::http::{Console, Settings};
use serde_json::json;

use crate::stand::{GRAPHQL, JSON, Stand, Told, told};

fn assert_protected(told: &Told, of: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(told.header(name), value, "{name} of {of}");
    }
    for name in ["server", "x-powered-by", "content-encoding", "via"] {
        assert_eq!(told.header(name), "", "{name} of {of}");
    }
}

#[tokio::test]
async fn every_answer_has_them() {
    let settings = Settings { console: Some(Console::default()), ..Settings::default() };
    let stand = Stand::open(settings).await;
    for (path, accept) in [
        ("/", "text/html"),
        ("/console/console.js", "*/*"),
        ("/console/assets/react/nothing", "*/*"),
        ("/graphql", "text/html"),
        ("/graphql?query={hello}", JSON),
        ("/graphql?query={hello}", "text/event-stream"),
        ("/graphql?query={", GRAPHQL),
        ("/graphql", JSON),
        ("/graphql", "image/png"),
        ("/healthz", "*/*"),
        ("/readyz", "*/*"),
        ("/nowhere", "*/*"),
    ] {
        let request = reqwest::Client::new().get(stand.url(path)).header("accept", accept);
        assert_protected(&told(request).await, &format!("{path} as {accept}"));
    }
    for (method, path) in [
        ("TRACE", "/graphql"),
        ("DELETE", "/graphql"),
        ("OPTIONS", "/graphql"),
        ("PUT", "/healthz"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new().request(method.clone(), stand.url(path));
        assert_protected(&told(request).await, &format!("{method} {path}"));
    }
    for token in ["", "bad", "busy", "lost", "barred"] {
        let request = reqwest::Client::new().post(stand.url("/graphql")).bearer_auth(token);
        let told = told(request.json(&json!({ "query": "{ careless }" }))).await;
        assert_protected(&told, &format!("the token {token:?}"));
    }
}

#[tokio::test]
async fn the_console_can_be_framed_by_nobody() {
    let settings = Settings { console: Some(Console::default()), ..Settings::default() };
    let stand = Stand::open(settings).await;
    let told = told(reqwest::Client::new().get(stand.url("/")).header("accept", "text/html")).await;
    let policy = told.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
}
