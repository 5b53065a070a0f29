//! A small town in which the wide query finds something of every service.

use std::time::Duration;

use moim_e2e::{Client, Memory, Person, Platform, Value, eventually, held, json};
use tokio::time::{Instant, sleep};

use crate::wide::{FIELDS, Healthy, WIDE};

/// For a query to be answered here.
pub const DEADLINE: Duration = Duration::from_millis(5_000);
/// For one call of it.
pub const CALL: Duration = Duration::from_millis(2_000);
/// A machine that does much else may be late by as much.
pub const SLACK: Duration = Duration::from_secs(2);
/// Nobody signs in again; one call spends but a part of the endpoint's time; a few people are enough to open a breaker,
/// and not too many for a room on a machine that does much else.
const KNOBS: [(&str, &str); 11] = [
    ("MOIM_BFF__STALE_FOR_MS", "0"),
    ("MOIM_BFF__QUERY_DEADLINE_MS", "5000"),
    ("MOIM_SHIELD__READ_TIMEOUT_MS", "2000"),
    ("MOIM_SHIELD__WRITE_TIMEOUT_MS", "2000"),
    ("MOIM_SCHEDULE__PAY_WAIT_MS", "500"),
    ("MOIM_SHIELD__BREAKER__MINIMUM_CALLS", "8"),
    ("MOIM_SHIELD__IN_FLIGHT", "100"),
    ("MOIM_SHIELD__IN_FLIGHT_LEAST", "100"),
    ("MOIM_SHIELD__QUEUE", "1000"),
    ("MOIM_SHIELD__QUEUE_WAIT_MS", "1000"),
    ("MOIM_MEMBER__ACCESS_TOKEN_S", "14400"),
];
/// As many as ask at once.
const SESSIONS: usize = 4;
/// Nothing changes any more once an answer has been the same for so long.
const STILL: Duration = Duration::from_secs(2);

/// Rooms apart over ways, and somebody who asks.
pub struct Scene {
    pub platform: Platform,
    pub host: Person,
    /// Asks the wide query, having seen nothing.
    pub viewer: Client,
    /// The same in several sessions, so that nobody is answered with what somebody else asked.
    pub sessions: Vec<Client>,
    pub variables: Value,
    pub healthy: Healthy,
    /// Where the viewer may go.
    pub gathering: String,
}

impl Scene {
    /// `None`, said loudly, without PostgreSQL or NATS.
    pub async fn set() -> Option<Self> {
        Self::set_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn set_with(knobs: &[(&str, &str)]) -> Option<Self> {
        let platform = Platform::apart_over_ways(&[&KNOBS, knobs].concat()).await?;
        let host = platform.sign_up("등산하는곰").await;
        let profile = "mutation { memberUpdate(input: { bio: \"산\" }) { userErrors { code message path } } }";
        host.data(profile, json!({})).await;
        let viewer = platform.sign_up("viewer").await;
        let gathering = host.create_gathering(json!({ "title": "등산 모임" })).await;
        viewer.join(&gathering).await;
        let schedule = host.create_schedule(&gathering, json!({ "title": "등산" })).await;
        viewer.attend(&schedule).await;
        viewer.top_up(50_000).await;
        let paid = host
            .create_schedule(
                &gathering,
                json!({ "fee": 12_000, "startsAt": moim_e2e::in_hours(240), "endsAt": moim_e2e::in_hours(241) }),
            )
            .await;
        viewer.attend(&paid).await;
        let over = held(&host, &gathering, &[&viewer]).await;
        // The review room hears by itself who was there.
        let review = eventually(async || {
            let input = json!({ "scheduleId": over.schedule, "rating": 5, "body": "또 가요." });
            let body = viewer.graphql(REVIEW, json!({ "input": input })).await;
            body["data"]["reviewWrite"]["review"]["id"].as_str().map(str::to_owned).ok_or(body)
        })
        .await;
        let message = host.say(&gathering, "안녕하세요.").await["node"]["id"].clone();
        let entry = eventually(async || {
            let data = viewer.data(MONEY, json!({})).await;
            let entry = data["viewer"]["wallet"]["entries"]["edges"][0]["node"].clone();
            if entry["order"]["id"].is_null() { Err(data) } else { Ok(entry) }
        })
        .await;
        let notification = eventually(async || {
            let data = viewer.data(BELL, json!({})).await;
            let id = data["viewer"]["notifications"]["edges"][0]["node"]["id"].clone();
            if id.is_null() { Err(data) } else { Ok(id) }
        })
        .await;
        let (order, entry) = (&entry["order"]["id"], &entry["id"]);
        let ids =
            json!([host.id, gathering, schedule, order, entry, review, message, notification]);
        let variables = json!({ "ids": ids });
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            sessions.push(viewer.log_in().await.client.remembering(Memory::None));
        }
        let viewer = viewer.client.remembering(Memory::None);
        let healthy = Healthy(settled(&viewer, &variables).await);
        Some(Self { platform, host, viewer, sessions, variables, healthy, gathering })
    }

    /// One answer to the wide query, and how long it took.
    pub async fn ask(&self) -> (Value, Duration) {
        let began = Instant::now();
        let body = self.viewer.graphql(WIDE, self.variables.clone()).await;
        (body, began.elapsed())
    }
}

/// The answer once everybody has heard everything.
async fn settled(viewer: &Client, variables: &Value) -> Value {
    let due = Instant::now() + Duration::from_secs(60);
    let mut before = Value::Null;
    let mut since = Instant::now();
    loop {
        let body = viewer.graphql(WIDE, variables.clone()).await;
        assert!(Instant::now() < due, "it never came to rest: {body:#}");
        let found = body["data"]["search"]["edges"].as_array().map_or(0, Vec::len);
        if body.get("errors").is_some() || body["data"] != before || found < FOUND {
            (before, since) = (body["data"].clone(), Instant::now());
        } else if since.elapsed() > STILL {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    // Each service is in it with all its fields.
    let healthy = Healthy(before.clone());
    FIELDS.iter().for_each(|(service, _)| drop(healthy.places(service)));
    before
}

/// The gathering, the schedule and the host.
const FOUND: usize = 3;
const MONEY: &str =
    "{ viewer { wallet { entries(first: 1) { edges { node { id order { id } } } } } } }";
const REVIEW: &str = "mutation($input: ReviewWriteInput!) {
  reviewWrite(input: $input) { review { id } userErrors { code } }
}";
const BELL: &str = "{ viewer { notifications(first: 1) { edges { node { id } } } } }";
