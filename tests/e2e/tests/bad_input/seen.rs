//! Seen tokens that somebody made up: at worst their sender is told to try again.

use moim_e2e::{Platform, error_codes, json};
use moim_kit::id::MemberId;
use moim_kit::seen::{Mark, Seen};
use moim_kit::{Clock, Timestamp};

use crate::scene::{Scene, assert_quiet};
use crate::wire::answers;

const HEADER: &str = "x-moim-seen";

#[tokio::test]
async fn a_token_about_what_never_was_holds_up_only_its_sender() {
    let platform = Platform::one_process().await;
    let scene = Scene::set(&platform).await;
    let now = Clock::system().now();
    let query = r#"{ member(by: { nickname: "guest" }) { bio }
        node(id: "<schedule>") { ... on Schedule { title } } }"#;
    let query = scene.fill(query);
    let sent = async |mark: Mark| {
        let mut seen = Seen::default();
        seen.merge([mark]);
        let token = seen.encode_text();
        platform.client().send_with(&query, json!({}), &[(HEADER, &token)]).await
    };
    let nobody = MemberId::fresh().uuid();
    for version in [1, i64::MAX] {
        let answer = sent(Mark::new("member", nobody, version, now)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(error_codes(&answer.body), ["UNAVAILABLE"], "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["extensions"]["retryable"], true);
        assert_eq!(answer.body["data"], json!({ "member": { "bio": null }, "node": null }));
        answers(&platform.client(), "a made-up token").await;
    }
    // What nobody copies, and what must long have arrived, is not waited for.
    for mark in [
        Mark::new("nonsense", nobody, i64::MAX, now),
        Mark::new("", nobody, 1, now),
        Mark::new("member", nobody, 1, Timestamp::from_us(0)),
        Mark::new("member", nobody, 1, Timestamp::from_us(i64::MAX)),
        Mark::new("member", nobody, 1, Timestamp::from_us(i64::MIN)),
    ] {
        assert_eq!(sent(mark).await.data()["node"]["title"], "강변 걷기");
    }
    assert_quiet(&platform);
}
