//! Pages of other origins.

use moim_bff::http::Settings;
use serde_json::json;

use crate::stand::{Stand, told};

const LISTED: &str = "https://moim.example";

async fn stand() -> Stand {
    Stand::open(Settings { origins: vec![LISTED.to_owned()], ..Settings::default() }).await
}

fn post(stand: &Stand, origin: &str) -> reqwest::RequestBuilder {
    let request = reqwest::Client::new().post(stand.url("/graphql"));
    request.json(&json!({ "query": "{ hello }" })).header("origin", origin)
}

#[tokio::test]
async fn listed_pages_may_ask_and_read() {
    let stand = stand().await;
    let told_post = told(post(&stand, LISTED)).await;
    assert_eq!(told_post.status, 200);
    assert_eq!(told_post.header("access-control-allow-origin"), LISTED);
    assert_eq!(told_post.header("access-control-allow-credentials"), "true");
    assert_eq!(told_post.header("vary"), "origin");
    let ahead = reqwest::Client::new().request(reqwest::Method::OPTIONS, stand.url("/graphql"));
    let ahead = told(ahead.header("origin", LISTED)).await;
    assert_eq!(ahead.status, 204);
    assert_eq!(ahead.header("access-control-allow-origin"), LISTED);
    assert!(ahead.header("access-control-allow-headers").contains("authorization"));
}

#[tokio::test]
async fn own_pages_need_no_list() {
    let stand = stand().await;
    let told = told(post(&stand, &stand.url(""))).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn other_pages_are_turned_away_before_anything_runs() {
    let stand = stand().await;
    for origin in ["https://evil.example", "null", "https://moim.example.evil.example", "x"] {
        let told = told(post(&stand, origin)).await;
        assert_eq!((told.status, told.code()), (403, "ORIGIN_REFUSED"), "{origin}");
        assert_eq!(told.header("access-control-allow-origin"), "");
    }
}
