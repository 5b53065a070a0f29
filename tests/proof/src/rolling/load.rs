//! What people do meanwhile, at a steady rate: reads and writes of every room, and what became of each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moim_e2e::{NoAnswer, Person, Platform, Value, json};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use super::balancer::Balancer;
use super::ledger::Ledger;

/// People side by side.
pub const PEOPLE: usize = 8;

const KINDS: [(&str, &str); 10] = [
    (
        "list gatherings",
        "{ gatherings(first: 10) { edges { node { title memberCount host { nickname bio } } } } }",
    ),
    (
        "show a schedule",
        "query($schedule: ID!) { node(id: $schedule) { ... on Schedule {
           title goingCount viewerAttendance { state } gathering { title }
         } } }",
    ),
    (
        "look at oneself",
        "{ viewer { member { nickname bio } wallet { balance { amount } } unreadNotificationCount
           notifications(first: 3) { edges { node { text } } } } }",
    ),
    (
        "search",
        "{ search(query: \"아침 산책\", first: 5) { totalCount edges { node { __typename } } } }",
    ),
    (
        "read the chat",
        "query($gathering: ID!) { node(id: $gathering) { ... on Gathering {
           messages(last: 5) { edges { node { body } } }
         } } }",
    ),
    (
        "attend",
        "mutation($schedule: ID!, $key: String!) {
           scheduleAttend(input: { scheduleId: $schedule }) @idempotent(key: $key) {
             attendance { state } userErrors { code }
           } }",
    ),
    (
        "withdraw",
        "mutation($schedule: ID!) {
           scheduleWithdraw(input: { scheduleId: $schedule }) { userErrors { code } } }",
    ),
    (
        "say something",
        "mutation($gathering: ID!, $key: UUID!) {
           chatMessageSend(input: { gatheringId: $gathering, body: \"안녕하세요\", clientId: $key }) {
             edge { cursor } userErrors { code }
           } }",
    ),
    (
        "change one's profile",
        "mutation($key: String!) { memberUpdate(input: { bio: $key }) { userErrors { code } } }",
    ),
    (
        "top up",
        "mutation($key: String!) { walletTopUp(input: { amount: 1000 }) @idempotent(key: $key) {
           userErrors { code } } }",
    ),
];
const ANNOUNCE: &str = "mutation($input: ScheduleCreateInput!, $key: String!) {
  scheduleCreate(input: $input) @idempotent(key: $key) { schedule { id } userErrors { code } }
}";

/// Where it all takes place.
pub struct Stage {
    /// Who announces.
    pub host: Person,
    /// The gathering everybody is in.
    pub gathering: String,
    /// A schedule with seats for all.
    pub schedule: String,
    /// Ways to the endpoints.
    pub balancer: Arc<Balancer>,
    /// What becomes of requests.
    pub ledger: Arc<Ledger>,
    /// When each announcement was sent.
    pub announced: Mutex<BTreeMap<u64, Instant>>,
}

impl Stage {
    /// Opens it.
    pub async fn set(platform: &Platform, balancer: Arc<Balancer>, ledger: Arc<Ledger>) -> Self {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({ "capacity": 1_000 })).await;
        let schedule = host.create_schedule(&gathering, json!({ "capacity": 100 })).await;
        Self { host, gathering, schedule, balancer, ledger, announced: Mutex::default() }
    }

    /// Asks a ready endpoint; where nobody is, another one, as a balancer does. True when it went well.
    async fn ask(&self, kind: &'static str, person: &Person, query: &str, asked: Value) -> bool {
        let began = Instant::now();
        let mut unsent = 0;
        let failure = loop {
            let url = self.balancer.pick();
            match person.client.at(url).attempt(query, asked.clone()).await {
                Ok(answer) => break wrong(answer.status, &answer.body),
                Err(NoAnswer::Unsent) if unsent < 3 => {
                    self.balancer.unreachable(url);
                    unsent += 1;
                }
                Err(NoAnswer::Unsent) => break Some("no endpoint is there".to_owned()),
                Err(NoAnswer::Lost(why)) => break Some(format!("broke off: {why}")),
            }
        };
        let went_well = failure.is_none();
        self.ledger.note(kind, began.elapsed(), unsent, failure);
        went_well
    }

    /// One person's part of the load.
    pub async fn busy(&self, person: Person, number: usize, every: Duration) {
        let mut tick = interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut attends = false;
        for turn in number.. {
            tick.tick().await;
            let (kind, query) = match KINDS[turn % KINDS.len()] {
                ("attend", _) if attends => KINDS[6],
                ("withdraw", _) if !attends => KINDS[5],
                other => other,
            };
            let asked = json!({
                "gathering": self.gathering, "schedule": self.schedule, "key": Uuid::now_v7(),
            });
            let went_well = self.ask(kind, &person, query, named(query, asked)).await;
            match kind {
                "attend" if went_well => attends = true,
                "withdraw" if went_well => attends = false,
                _ => {}
            }
        }
    }

    /// Announces schedules, each of which every member is told of.
    pub async fn announce(&self, every: Duration) {
        let mut tick = interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 1.. {
            tick.tick().await;
            self.announce_one(number).await;
        }
    }

    /// Announces one; its number stands in what members are told.
    pub async fn announce_one(&self, number: u64) {
        let input = json!({
            "gatheringId": self.gathering, "title": format!("№{number}"), "description": "걷습니다.",
            "place": "강가", "capacity": 10,
            "startsAt": moim_e2e::in_hours(24 * 60), "endsAt": moim_e2e::in_hours(24 * 60 + 1),
        });
        self.announced.lock().insert(number, Instant::now());
        let asked = json!({ "input": input, "key": Uuid::now_v7() });
        self.ask("announce", &self.host, ANNOUNCE, asked).await;
    }
}

/// Only what a document names may be sent along.
fn named(query: &str, asked: Value) -> Value {
    let Value::Object(all) = asked else { return asked };
    all.into_iter().filter(|(name, _)| query.contains(&format!("${name}:"))).collect()
}

/// Why an answer is none: also one that only stands in for a room that is silent.
fn wrong(status: u16, body: &Value) -> Option<String> {
    if status != 200 {
        return Some(format!("status {status}: {body}"));
    }
    if let Some(errors) = body.get("errors") {
        return Some(format!("errors: {errors}"));
    }
    if body["extensions"].get("stale").is_some() {
        return Some(format!("stale: {}", body["extensions"]["stale"]));
    }
    let payloads = body["data"].as_object().into_iter().flat_map(|data| data.values());
    let refused = payloads.filter_map(|it| it.get("userErrors")?.as_array()?.first());
    refused.map(|error| format!("refused: {error}")).next()
}
