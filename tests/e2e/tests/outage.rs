//! A room that is down takes its own fields with it and nothing else, and comes back by itself.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use moim_e2e::{Platform, Value, error_codes, eventually, json};

const BROWSE: &str = "{ gatherings(first: 10) { edges { node {
  title host { nickname } schedules(first: 3) { edges { node { title } } }
} } } }";
const HOSTS: &str = "{ gatherings(first: 10) { edges { node { title host { nickname bio } } } } }";
const JOIN: &str = "mutation($id: ID!) {
  gatheringJoin(input: { gatheringId: $id }) { membership { id } userErrors { code message } }
}";
const MEMBER: usize = 0;
const SCHEDULE: usize = 2;
const PAYMENT: usize = 3;

/// Fails unless every error is of this service, worth another try, and on one of these paths.
fn expect_outage(body: &Value, service: &str, paths: &[Value]) {
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {body:#}"));
    let mut failed: Vec<_> = errors.iter().map(|error| error["path"].clone()).collect();
    failed.sort_by_key(Value::to_string);
    assert_eq!(failed, paths, "{body:#}");
    for error in errors {
        let told = &error["extensions"];
        assert_eq!(
            (&told["service"], &told["retryable"]),
            (&json!(service), &json!(true)),
            "{error}"
        );
        assert!(told["retryAfterMs"].as_i64().is_some_and(|ms| ms > 0), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_schedule_room_gatherings_are_still_there() {
    let Some(mut platform) = Platform::apart().await else { return };
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({ "title": "남은 모임" })).await;
    host.create_gathering(json!({ "title": "다른 모임" })).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    platform.processes[SCHEDULE].kill();

    let answer = host.send(BROWSE, json!({})).await;
    assert_eq!(answer.status, 200);
    let edges = answer.body["data"]["gatherings"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 2);
    for edge in edges {
        assert_eq!(edge["node"]["host"]["nickname"], "host");
        assert!(edge["node"]["schedules"].is_null());
    }
    let path = |nth: usize| json!(["gatherings", "edges", nth, "node", "schedules"]);
    expect_outage(&answer.body, "schedule", &[path(0), path(1)]);
    let refused = host.try_attend(&schedule, json!({})).await;
    expect_outage(&refused, "schedule", &[json!(["scheduleAttend"])]);
    assert!(refused["data"]["scheduleAttend"].is_null());

    // Others go on meanwhile, and what they told is heard afterwards.
    let guest = platform.sign_up("guest").await;
    guest.join(&gathering).await;
    platform.processes[SCHEDULE].start_again();
    eventually(async || {
        let body = guest.graphql(BROWSE, json!({})).await;
        if body.get("errors").is_none() { Ok(()) } else { Err(body) }
    })
    .await;
    assert_eq!(guest.attend(&schedule).await["state"], "GOING");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_member_room_people_still_meet() {
    let Some(mut platform) = Platform::apart().await else { return };
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    let guest = platform.sign_up("guest").await;
    guest.join(&gathering).await;
    platform.processes[MEMBER].kill();

    assert_eq!(guest.attend(&schedule).await["state"], "GOING");
    host.data(BROWSE, json!({})).await;
    let body = host.graphql(HOSTS, json!({})).await;
    let card = &body["data"]["gatherings"]["edges"][0]["node"]["host"];
    assert_eq!(*card, json!({ "nickname": "host", "bio": null }));
    let path = json!(["gatherings", "edges", 0, "node", "host", "bio"]);
    expect_outage(&body, "member", &[path]);
    let body = host.graphql("{ viewer { email } }", json!({})).await;
    assert_eq!(error_codes(&body), ["UNAVAILABLE"]);

    platform.processes[MEMBER].start_again();
    eventually(async || {
        let body = host.graphql(HOSTS, json!({})).await;
        if body.get("errors").is_none() { Ok(()) } else { Err(body) }
    })
    .await;
    // What the room that died had begun to tell is told on by the new one a few seconds later.
    let newcomer = platform.sign_up("newcomer").await;
    eventually(async || {
        let body = newcomer.graphql(JOIN, json!({ "id": gathering })).await;
        let joined = body["data"]["gatheringJoin"]["membership"].is_object();
        if joined { Ok(()) } else { Err(body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_payment_room_free_seats_are_taken_and_paid_ones_wait_for_it() {
    let knobs = [("MOIM_SCHEDULE__HOLD_MS", "120000"), ("MOIM_SCHEDULE__PAY_WAIT_MS", "100")];
    let Some(mut platform) = Platform::apart_with(&knobs).await else { return };
    let host = platform.sign_up("host").await;
    host.top_up(20_000).await;
    let gathering = host.create_gathering(json!({})).await;
    let free = host.create_schedule(&gathering, json!({})).await;
    let paid = host.create_schedule(&gathering, json!({ "fee": 12_000 })).await;
    platform.processes[PAYMENT].kill();

    let answer = host.send(WALLET, json!({})).await;
    assert_eq!(answer.body["data"]["viewer"]["email"], json!(host.email));
    expect_outage(&answer.body, "payment", &[json!(["viewer", "wallet"])]);
    assert_eq!(host.attend(&free).await["state"], "GOING");
    let body = host.try_attend(&paid, json!({ "allowOverlap": true })).await;
    assert_eq!(body["data"]["scheduleAttend"]["attendance"]["state"], "PENDING_PAYMENT", "{body}");
    let seen = host.send(PLACE, json!({ "id": paid })).await.body;
    assert_eq!(seen["data"]["node"]["viewerAttendance"]["state"], "PENDING_PAYMENT");
    expect_outage(&seen, "payment", &[json!(["node", "viewerAttendance", "order"])]);

    platform.processes[PAYMENT].start_again();
    eventually(async || {
        let seen = host.send(PLACE, json!({ "id": paid })).await.body;
        let place = &seen["data"]["node"]["viewerAttendance"];
        let paid = json!({ "state": "GOING", "order": { "state": "CONFIRMED" } });
        if *place == paid { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_a_room_that_is_down_keep_their_highlights_and_search_takes_only_its_own_fields()
{
    let Some(mut platform) = Platform::apart_with(&[("MOIM_BFF__STALE_FOR_MS", "0")]).await else {
        return;
    };
    let host = platform.sign_up("등산하는곰").await;
    host.create_gathering(json!({ "title": "등산 모임" })).await;
    let client = platform.client();
    let found = eventually(async || {
        let data = client.data(SEARCH, json!({})).await;
        let kinds = data["search"]["edges"].as_array().unwrap().len();
        if kinds == 2 { Ok(data) } else { Err(data) }
    })
    .await;
    let is_member = |edge: &Value| edge["node"]["nickname"] == "등산하는곰";
    let edges = found["search"]["edges"].as_array().unwrap();
    let member = edges.iter().position(is_member).unwrap();

    platform.room("member").kill();
    let body = client.graphql(SEARCH, json!({})).await;
    expect_outage(&body, "member", &[json!(["search", "edges", member, "node"])]);
    let edges = body["data"]["search"]["edges"].as_array().unwrap();
    assert!(edges[member]["node"].is_null());
    assert_eq!(edges[member]["highlights"][0]["field"], "nickname");
    assert_eq!(edges[1 - member]["node"]["title"], "등산 모임");

    platform.room("search").kill();
    let body = client.graphql(SEARCH, json!({})).await;
    expect_outage(&body, "search", &[json!(["search"])]);
    assert_eq!(body["data"]["gatherings"]["edges"][0]["node"]["title"], "등산 모임");
    platform.room("member").start_again();
    platform.room("search").start_again();
    eventually(async || {
        let body = client.graphql(SEARCH, json!({})).await;
        if body["data"] == found { Ok(()) } else { Err(body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_is_not_asked_any_more_says_when_to_come_again() {
    let knobs = [
        ("MOIM_SHIELD__BREAKER__MINIMUM_CALLS", "3"),
        ("MOIM_SHIELD__BREAKER__WAIT_MS", "60000"),
        ("MOIM_SHIELD__BREAKER__WAIT_MOST_MS", "60000"),
    ];
    let Some(mut platform) = Platform::apart_with(&knobs).await else { return };
    let host = platform.sign_up("host").await;
    host.create_gathering(json!({})).await;
    platform.processes[SCHEDULE].kill();
    let body = eventually(async || {
        let body = host.graphql(BROWSE, json!({})).await;
        let told = body["errors"][0]["extensions"]["retryAfterMs"].as_i64();
        // Longer than is told of a room of which nothing is known.
        if told.is_some_and(|ms| ms > 10_000) { Ok(body) } else { Err(body) }
    })
    .await;
    let path = json!(["gatherings", "edges", 0, "node", "schedules"]);
    expect_outage(&body, "schedule", &[path]);
    assert_eq!(body["data"]["gatherings"]["edges"][0]["node"]["host"]["nickname"], "host");
}

const SEARCH: &str = "{ gatherings(first: 9) { edges { node { title } } }
  search(query: \"등산\", first: 9) { edges { highlights { field } node {
    ... on Gathering { title } ... on Member { nickname } } } } }";
const WALLET: &str = "{ viewer { email wallet { balance } } }";
const PLACE: &str = "query($id: ID!) {
  node(id: $id) { ... on Schedule { viewerAttendance { state order { state } } } }
}";
