//! Seen tokens that somebody made up, or took apart and put together again: nothing was seen.

use moim_e2e::{Platform, json};
use moim_kit::Clock;
use moim_kit::id::MemberId;
use moim_kit::seen::{Mark, Seen};

use crate::scene::{Scene, assert_quiet};

const HEADER: &str = "x-moim-seen";

#[tokio::test]
async fn a_token_that_was_made_up_keeps_nobody_waiting() {
    let platform = Platform::one_process().await;
    let scene = Scene::set(&platform).await;
    let query = scene.fill(r#"{ node(id: "<schedule>") { ... on Schedule { title } } }"#);
    let mut seen = Seen::default();
    let nobody = MemberId::fresh().uuid();
    seen.merge([Mark::new("member", nobody, i64::MAX, Clock::system().now())]);
    let made_up = seen.encode_text();

    // One that the endpoint did hand out, with another seal, and with another content.
    let change = r#"mutation { it: memberUpdate(input: { bio: "산책" }) { userErrors { code } } }"#;
    let answer = scene.cast.member.send(change, json!({})).await;
    let sealed = answer.headers[HEADER].to_str().unwrap().to_owned();
    let (content, seal) = sealed.split_once('.').unwrap();

    for token in [
        made_up.clone(),
        format!("{made_up}.{seal}"),
        format!("{made_up}."),
        format!("{content}.{}", "A".repeat(seal.len())),
        ".".to_owned(),
        "x".repeat(5_000),
    ] {
        let answer = platform.client().send_with(&query, json!({}), &[(HEADER, &token)]).await;
        assert_eq!(answer.data()["node"]["title"], "강변 걷기", "{token}");
    }
    assert_quiet(&platform);
}
