//! Requests whose end two readers could see in different places: one answer at most, and nothing hidden runs.

use moim_e2e::Platform;

use crate::scene::assert_quiet;
use crate::victim::{HIT, Victim};
use crate::wire::send;

#[tokio::test]
async fn a_request_hidden_behind_another_is_never_run() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    let body = moim_e2e::json!({ "query": HIT }).to_string();
    let hidden = format!(
        "POST /graphql HTTP/1.1\r\nhost: moim\r\n{}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        victim.header(),
        body.len()
    );
    let length = hidden.len() + 5;
    for framing in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        "content-length: 5\r\ncontent-length: 6\r\n".to_owned(),
        format!("content-length: 5\r\ncontent-length: {length}\r\n"),
        "content-length: 5, 6\r\n".to_owned(),
        "content-length: +5\r\n".to_owned(),
        "content-length: 0x5\r\n".to_owned(),
        "content-length: 5 5\r\n".to_owned(),
        "content-length: 99999999999999999999\r\n".to_owned(),
        "transfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: identity, chunked\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding : chunked\r\n".to_owned(),
        " transfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding:\r\n chunked\r\n".to_owned(),
        "transfer-encoding: \u{b}chunked\r\n".to_owned(),
        "x: y\ntransfer-encoding: chunked\r\n".to_owned(),
        "x: y\rtransfer-encoding: chunked\r\n".to_owned(),
    ] {
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: moim\r\ncontent-type: application/json\r\n{framing}\r\n\
             0\r\n\r\n{hidden}"
        );
        let raw = send(&victim.person, request.as_bytes()).await;
        assert!(raw.text.matches("HTTP/1.1 ").count() <= 1, "{framing:?}: {}", raw.text);
        assert!(
            raw.status() == 0 || (400..500).contains(&raw.status()),
            "{framing:?}: {}",
            raw.text
        );
        victim.is_untouched(&framing).await;
    }
    victim.can_be_hit().await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn pieces_that_lie_about_their_length_end_the_connection() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    let head = "POST /graphql HTTP/1.1\r\nhost: moim\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    for pieces in [
        "fffffffffffffffff\r\n",
        "ffffffffffffffff\r\nx",
        "-1\r\nx",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5 ;x\r\nhello\r\n",
        "\r\n\r\n",
        "g\r\n",
    ] {
        let raw = send(&victim.person, format!("{head}{pieces}").as_bytes()).await;
        assert!(
            raw.status() == 0 || (400..500).contains(&raw.status()),
            "{pieces:?}: {}",
            raw.text
        );
        assert!(raw.text.matches("HTTP/1.1 ").count() <= 1, "{pieces:?}: {}", raw.text);
        victim.is_untouched(pieces).await;
    }
    // An extension of a piece may be of any length, and is never kept.
    let endless = format!("{head}5;{}\r\n", "x".repeat(1_000_000));
    let raw = send(&victim.person, endless.as_bytes()).await;
    assert!(raw.status() == 0 || (400..500).contains(&raw.status()), "{}", raw.text);
    victim.is_untouched("an endless extension").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn floods_of_headers_and_long_addresses_are_431_and_414() {
    let platform = Platform::one_process().await;
    let victim = Victim::of(&platform).await;
    let flood: String = (0..5_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let cookies = format!("cookie: {}\r\n", "a=b; ".repeat(40_000));
    let same = "x-forwarded-for: 1.2.3.4\r\n".repeat(3_000);
    for (what, headers, statuses) in [
        ("many headers", flood, [431, 0]),
        ("long cookies", cookies, [431, 0]),
        ("one header many times", same, [431, 0]),
    ] {
        let request = format!("GET /graphql HTTP/1.1\r\nhost: moim\r\n{headers}\r\n");
        let raw = send(&victim.person, request.as_bytes()).await;
        assert!(statuses.contains(&raw.status()), "{what}: {}", raw.text);
        victim.is_untouched(what).await;
    }
    for length in [20_000, 200_000] {
        let request = format!(
            "GET /graphql?query=%7B__typename%7D&x={} HTTP/1.1\r\nhost: moim\r\nconnection: close\r\n\r\n",
            "x".repeat(length)
        );
        let raw = send(&victim.person, request.as_bytes()).await;
        assert!(matches!(raw.status(), 0 | 414 | 431), "{length}: {}", raw.text);
        victim.is_untouched("a long address").await;
    }
    assert_quiet(&platform);
}
