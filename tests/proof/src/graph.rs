//! The mutations that proofs are made of, each kept up under one key until it is answered.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moim_e2e::{Client, Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub const MEMBER_UPDATE: (&str, &str) = ("memberUpdate", "member { id }");
pub const GATHERING_CREATE: (&str, &str) = ("gatheringCreate", "gathering { id }");
pub const GATHERING_UPDATE: (&str, &str) = ("gatheringUpdate", "gathering { id }");
pub const GATHERING_JOIN: (&str, &str) = ("gatheringJoin", "membership { id }");
pub const GATHERING_LEAVE: (&str, &str) = ("gatheringLeave", "membership { id }");
pub const MEMBERSHIP_DECIDE: (&str, &str) = ("membershipDecide", "membership { id }");
pub const MEMBERSHIP_SET_ROLE: (&str, &str) = ("membershipSetRole", "membership { id }");
pub const MEMBERSHIP_REMOVE: (&str, &str) = ("membershipRemove", "membership { id }");
pub const SCHEDULE_CREATE: (&str, &str) = ("scheduleCreate", "schedule { id }");
pub const SCHEDULE_UPDATE: (&str, &str) = ("scheduleUpdate", "schedule { id }");
pub const SCHEDULE_CANCEL: (&str, &str) = ("scheduleCancel", "schedule { id }");
pub const SCHEDULE_ATTEND: (&str, &str) = ("scheduleAttend", "attendance { id state }");
pub const SCHEDULE_WITHDRAW: (&str, &str) = ("scheduleWithdraw", "attendance { id }");
pub const ATTENDANCE_RECORD: (&str, &str) = ("attendanceRecord", "attendance { id }");
pub const REVIEW_WRITE: (&str, &str) = ("reviewWrite", "review { id }");
pub const REVIEW_DELETE: (&str, &str) = ("reviewDelete", "deletedId");
pub const CHAT_SEND: (&str, &str) = ("chatMessageSend", "edge { node { id } }");
pub const CHAT_DELETE: (&str, &str) = ("chatMessageDelete", "message { id }");

pub const WALLET_TOP_UP: (&str, &str) = ("walletTopUp", "viewer { id }");

/// Longer than any fault lasts; an answer that has not come by then is lost.
const PATIENCE: Duration = Duration::from_secs(180);

/// Does one mutation, again and again under its key while rooms or the bus are down; answers its payload.
pub async fn act(client: &Client, operation: (&str, &str), input: Value) -> Value {
    let payload = ask(client, operation, input).await;
    let errors = payload["userErrors"].as_array().unwrap();
    assert!(errors.is_empty(), "{}: {payload}", operation.0);
    payload
}

/// The same; what a person can do something about is in the payload.
pub async fn ask(client: &Client, operation: (&str, &str), input: Value) -> Value {
    ask_for(client, operation, input, PATIENCE).await.unwrap_or_else(|answer| panic!("{answer}"))
}

/// The same for so long; otherwise answers what was said last.
pub async fn ask_for(
    client: &Client,
    (mutation, wanted): (&str, &str),
    input: Value,
    patience: Duration,
) -> Result<Value, String> {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!, $key: String!) {{ {mutation}(input: $input) @idempotent(key: $key) \
         {{ {wanted} userErrors {{ code message }} }} }}"
    );
    let variables = json!({ "input": input, "key": Uuid::now_v7().to_string() });
    let due = Instant::now() + patience;
    loop {
        let answer = client.send(&query, variables.clone()).await;
        let payload = &answer.body["data"][mutation];
        if payload.is_object() {
            return Ok(payload.clone());
        }
        let told = &answer.body["errors"][0]["extensions"];
        let last = format!("{mutation} {variables}: {} {}", answer.status, answer.body);
        assert!(told["retryable"] == true, "{last}");
        if Instant::now() >= due {
            return Err(last);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The UUID in a global id: all of it but the tag in front.
pub fn uuid(global: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(global).unwrap();
    Uuid::from_slice(&bytes[1..]).unwrap().to_string()
}
