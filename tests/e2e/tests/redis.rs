//! A fleet that shares through Redis: what is revoked is refused everywhere, whatever becomes of Redis, and what a
//! silent room told last is shown with its age.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use moim_e2e::{Client, Person, Platform, Socket, Value, error_codes, eventually, json};
use moim_testbed::Redis;
use tokio::time::timeout;

const MEMBER: usize = 0;
const WHO: &str = "{ viewer { email } }";
const STRANGERS: &str = "{ gatherings(first: 1) { edges { node { title } } } }";
const LOG_OUT: &str = "mutation {
  authLogOut(input: { everywhere: false }) { userErrors { code } }
}";
const HOSTS: &str =
    "{ gatherings(first: 10) { edges { node { host { bio joinedAt viewerHasBlocked } } } } }";
const BIO: &str = "mutation($bio: String!) {
  memberUpdate(input: { bio: $bio }) { userErrors { code } }
}";
/// A socket whose session was ended has to be closed by then.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Rooms apart that share through this Redis, with two endpoints.
async fn fleet(redis: &Redis, more: &[(&str, &str)]) -> Option<Platform> {
    let url = redis.url();
    let knobs = [&[("MOIM_SHARED__URL", url.as_str())], more].concat();
    let mut platform = Platform::apart_with(&knobs).await?;
    platform.another_endpoint(&[]).await;
    Some(platform)
}

/// Waits until a token is refused.
async fn is_refused(client: &Client) {
    eventually(async || {
        let answer = client.send(WHO, json!({})).await;
        if answer.status == 401 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}

/// Logs out at the first endpoint; the other one refuses the token, and the socket there is closed.
async fn log_out_here_ends_it_there(platform: &Platform, person: &Person) {
    let there = person.through(&platform.client_at(1));
    there.data(WHO, json!({})).await;
    let mut socket = Socket::of(&there).await.unwrap();
    person.data(LOG_OUT, json!({})).await;
    let code = timeout(CLOSED_WITHIN, socket.close_code()).await.expect("it was to be closed");
    assert_eq!(code, 4403);
    is_refused(&there).await;
    is_refused(person).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_at_one_endpoint_ends_at_all_whatever_becomes_of_redis() {
    let Some(mut redis) = Redis::start().await else { return };
    let Some(platform) = fleet(&redis, &[]).await else { return };
    let lasting = platform.sign_up("lasting").await;
    let mut ended = Vec::new();
    for state in ["there", "frozen", "thawed", "killed", "empty", "flushed"] {
        match state {
            "frozen" => redis.freeze().await,
            "thawed" => redis.thaw().await,
            "killed" => redis.kill(),
            "empty" => redis.start_again().await,
            "flushed" => redis.flush().await,
            _ => {}
        }
        let person = platform.sign_up(state).await;
        log_out_here_ends_it_there(&platform, &person).await;
        ended.push(person);
        // Nobody's session comes back with Redis, and nobody else's ends.
        for person in &ended {
            for endpoint in [0, 1] {
                let answer =
                    person.through(&platform.client_at(endpoint)).send(WHO, json!({})).await;
                assert_eq!(answer.status, 401, "{state}: {}", answer.body);
            }
        }
        for endpoint in [0, 1] {
            lasting.through(&platform.client_at(endpoint)).data(WHO, json!({})).await;
            platform.client_at(endpoint).data(STRANGERS, json!({})).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nobody_knows_what_is_revoked_strangers_are_served_and_members_wait() {
    let Some(mut redis) = Redis::start().await else { return };
    let knobs = [("MOIM_HOUSE__REVOCATIONS_GOOD_FOR_MS", "3000")];
    let Some(mut platform) = fleet(&redis, &knobs).await else { return };
    let (lasting, gone) = (platform.sign_up("lasting").await, platform.sign_up("gone").await);
    lasting.create_gathering(json!({})).await;
    gone.data(LOG_OUT, json!({})).await;
    let there = lasting.through(&platform.client_at(1));
    there.data(WHO, json!({})).await;
    is_refused(&gone.through(&platform.client_at(1))).await;

    redis.kill();
    platform.processes[MEMBER].kill();
    eventually(async || {
        let answer = there.send(STRANGERS, json!({})).await;
        let codes = error_codes(&answer.body);
        if answer.status == 503 && codes == ["UNAVAILABLE"] { Ok(()) } else { Err(answer.body) }
    })
    .await;
    platform.client_at(1).data(STRANGERS, json!({})).await;
    assert_eq!(gone.through(&platform.client_at(1)).send(WHO, json!({})).await.status, 401);

    platform.processes[MEMBER].start_again();
    redis.start_again().await;
    eventually(async || {
        // Until somebody can be asked about tokens again it is a 503.
        let body = there.send(WHO, json!({})).await.body;
        if body.get("errors").is_none() { Ok(()) } else { Err(body) }
    })
    .await;
    assert_eq!(gone.through(&platform.client_at(1)).send(WHO, json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_silent_room_told_last_is_shown_with_its_age() {
    let Some(redis) = Redis::start().await else { return };
    let Some(mut platform) = fleet(&redis, &[]).await else { return };
    let strict = platform.another_endpoint(&[("MOIM_BFF__STALE_FOR_MS", "0")]).await;
    let host = platform.sign_up("host").await;
    host.data(BIO, json!({ "bio": "산을 좋아해요" })).await;
    host.create_gathering(json!({})).await;
    let fresh = host.graphql(HOSTS, json!({})).await;
    assert!(fresh.pointer("/extensions/stale").is_none(), "{fresh}");
    eventually(async || {
        let kept = redis.ask("KEYS moim:value:near:last:member:*").await;
        if kept == "*1" { Ok(()) } else { Err(kept) }
    })
    .await;
    platform.processes[MEMBER].kill();

    // Whichever endpoint it was told to; what depends on who asks is not known.
    let there = host.through(&platform.client_at(1));
    let body = there.graphql(HOSTS, json!({})).await;
    let shown = &body["data"]["gatherings"]["edges"][0]["node"]["host"];
    assert_eq!(shown["bio"], "산을 좋아해요", "{body}");
    assert_eq!(shown["viewerHasBlocked"], Value::Null);
    assert_eq!(error_codes(&body), ["UNAVAILABLE"]);
    assert_eq!(body["errors"][0]["path"][5], "viewerHasBlocked", "{body}");
    assert_eq!(body["extensions"]["stale"][0]["service"], "member");
    assert!(body["extensions"]["stale"][0]["ageMs"].is_u64(), "{body}");

    let strict = host.through(&platform.client_at(strict));
    let body = strict.graphql(HOSTS, json!({})).await;
    let shown = &body["data"]["gatherings"]["edges"][0]["node"]["host"];
    assert_eq!(*shown, json!({ "bio": null, "joinedAt": null, "viewerHasBlocked": null }));
    assert!(body.pointer("/extensions/stale").is_none(), "{body}");
}
