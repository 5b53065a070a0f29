//! Statuses and media types of the first edition of the specification.

use moim_bff::http::{Profile, Settings};
use serde_json::json;

use crate::stand::{GRAPHQL, JSON, Stand};

async fn stand() -> Stand {
    Stand::open(Settings { profile: Profile::September2026, ..Settings::default() }).await
}

#[tokio::test]
async fn statuses_tell_requests_documents_and_partial_success_apart() {
    let stand = stand().await;
    for (query, status) in [
        ("{ hello }", 200),
        ("{ hello soldOut }", 294),
        ("{ carelessAndNeeded }", 294),
        ("{", 400),
        ("{ unknown }", 422),
        ("query($id: ID!) { hello }", 422),
        ("query A { hello } query B { hello }", 422),
    ] {
        let told = stand.post(query, GRAPHQL).await;
        assert_eq!((told.status, told.media()), (status, GRAPHQL), "{query}");
    }
    let told = stand.post_json(&json!({ "qeury": "{ hello }" }), GRAPHQL).await;
    assert_eq!((told.status, told.code()), (422, "MALFORMED_REQUEST"));
    let told = stand.post_raw("{", JSON).await;
    assert_eq!((told.status, told.code()), (400, "MALFORMED_BODY"));
}

#[tokio::test]
async fn clients_of_before_get_json_only_for_what_succeeded() {
    let stand = stand().await;
    for (query, status, media) in [
        ("{ hello }", 200, JSON),
        ("{ soldOut }", 200, JSON),
        ("{", 400, GRAPHQL),
        ("{ unknown }", 422, GRAPHQL),
    ] {
        let told = stand.post(query, JSON).await;
        assert_eq!((told.status, told.media()), (status, media), "{query}");
    }
}

#[tokio::test]
async fn clients_that_do_not_say_get_the_new_media_type() {
    let stand = stand().await;
    assert_eq!(stand.post("{ hello }", "*/*").await.media(), GRAPHQL);
    assert_eq!(stand.post("{ hello }", "text/html").await.status, 406);
}
