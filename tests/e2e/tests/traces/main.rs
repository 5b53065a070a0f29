//! What is told of traces by OTLP: one tree per request, through every room it moves, and never a secret.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod logs;
mod others;
mod quiet;
mod tree;
mod whole;

use moim_e2e::{Answer, Person, Platform, json};
use uuid::Uuid;

const FEE: i64 = 12_000;
const ATTEND: &str = "mutation Attend($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state order { id state } }
    userErrors { code message path }
  }
}";

/// Somebody with money, and a schedule that costs some.
pub async fn guest_and_schedule(platform: &Platform) -> (Person, String) {
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let guest = platform.sign_up("guest").await;
    guest.join(&gathering).await;
    guest.top_up(50_000).await;
    let schedule = host.create_schedule(&gathering, json!({ "fee": FEE })).await;
    (guest, schedule)
}

/// Pays for a seat, with more headers.
pub async fn attend(guest: &Person, schedule: &str, headers: &[(&str, &str)]) -> Answer {
    let key = Uuid::now_v7().to_string();
    let variables = json!({ "input": { "scheduleId": schedule }, "key": key });
    let answer = guest.send_with(ATTEND, variables, headers).await;
    let order = &answer.data()["scheduleAttend"]["attendance"]["order"];
    assert!(order["id"].is_string(), "{}", answer.body);
    answer
}

/// The trace an answer belongs to.
pub fn trace_of(answer: &Answer) -> String {
    answer.header("x-trace-id").unwrap().to_owned()
}
