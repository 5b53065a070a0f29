//! Somebody with an account, and what people do most.

use std::ops::Deref;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{eventually, expect_data, user_error_codes};
use crate::client::{Client, Memory};

/// Password of everybody.
const PASSWORD: &str = "correct horse battery";

/// A member who is signed in; asks like a [`Client`].
#[derive(Clone)]
pub struct Person {
    /// Asks with this member's access token.
    pub client: Client,
    /// Global id of the member.
    pub id: String,
    /// Global id of the member as viewer.
    pub viewer_id: String,
    /// Unique name.
    pub nickname: String,
    /// Address to log in with.
    pub email: String,
    /// Password to log in with.
    pub password: String,
    /// Refresh token of the session opened at sign-up.
    pub refresh_token: String,
}

impl Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Person {
    /// Opens an account through a client.
    pub async fn sign_up(client: &Client, nickname: &str, email: &str) -> Self {
        let input = json!({ "email": email, "password": PASSWORD, "nickname": nickname });
        let data = client.data(SIGN_UP, json!({ "input": input })).await;
        let made = &data["authSignUp"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            client: client.with_token(text(&made["tokens"]["accessToken"])),
            id: text(&made["viewer"]["member"]["id"]),
            viewer_id: text(&made["viewer"]["id"]),
            nickname: nickname.to_owned(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            refresh_token: text(&made["tokens"]["refreshToken"]),
        }
    }

    /// The same person on another device: a session of its own.
    pub async fn log_in(&self) -> Self {
        let input = json!({ "email": self.email, "password": self.password });
        let data = self.client.without_token().data(LOG_IN, json!({ "input": input })).await;
        let tokens = &data["authLogIn"]["tokens"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            client: self
                .client
                .remembering(Memory::Header)
                .with_token(text(&tokens["accessToken"])),
            refresh_token: text(&tokens["refreshToken"]),
            ..self.clone()
        }
    }

    /// The same person and session through another client, such as one of another process.
    #[must_use]
    pub fn through(&self, client: &Client) -> Self {
        let token = self.client.token().unwrap();
        Self { client: client.with_token(token), ..self.clone() }
    }

    /// Starts a gathering, open and with room unless `changes` say otherwise; its id.
    pub async fn create_gathering(&self, changes: Value) -> String {
        let input = json!({
            "title": "아침 산책",
            "description": "강가를 걷습니다.",
            "category": "OUTDOORS",
            "regionId": self.region().await,
            "capacity": 30,
        });
        let data = self.data(CREATE_GATHERING, json!({ "input": changed(input, changes) })).await;
        data["gatheringCreate"]["gathering"]["id"].as_str().unwrap().to_owned()
    }

    /// Joins a gathering, or asks to; the membership's id.
    pub async fn join(&self, gathering: &str) -> String {
        let data = self.data(JOIN, json!({ "input": { "gatheringId": gathering } })).await;
        data["gatheringJoin"]["membership"]["id"].as_str().unwrap().to_owned()
    }

    /// Announces a schedule of ten seats next week unless `changes` say otherwise; its id.
    pub async fn create_schedule(&self, gathering: &str, changes: Value) -> String {
        let input = json!({
            "gatheringId": gathering,
            "title": "강변 걷기",
            "description": "천천히 걷습니다.",
            "place": "뚝섬 나들목",
            "startsAt": in_hours(24 * 7),
            "endsAt": in_hours(24 * 7 + 2),
            "capacity": 10,
        });
        let data = self.data(CREATE_SCHEDULE, json!({ "input": changed(input, changes) })).await;
        data["scheduleCreate"]["schedule"]["id"].as_str().unwrap().to_owned()
    }

    /// Takes a seat or a place in line; the attendance with `id state waitlistPosition`.
    pub async fn attend(&self, schedule: &str) -> Value {
        let body = self.try_attend(schedule, json!({})).await;
        expect_data(&body)["scheduleAttend"]["attendance"].clone()
    }

    /// Asks for a seat under a fresh key, with changes to the input; the whole body.
    pub async fn try_attend(&self, schedule: &str, changes: Value) -> Value {
        let input = changed(json!({ "scheduleId": schedule }), changes);
        let variables = json!({ "input": input, "key": Uuid::now_v7().to_string() });
        self.graphql(ATTEND, variables).await
    }

    /// Adds money to the wallet under a fresh key.
    pub async fn top_up(&self, amount: i64) {
        let variables = json!({ "amount": amount, "key": Uuid::now_v7().to_string() });
        self.data(TOP_UP, variables).await;
    }

    /// Says something in a gathering's chat; the edge with `cursor node { id body clientId }`.
    pub async fn say(&self, gathering: &str, body: &str) -> Value {
        let client_id = Uuid::now_v7().to_string();
        let input = json!({ "gatheringId": gathering, "body": body, "clientId": client_id });
        let data = self.data(SAY, json!({ "input": input })).await;
        data["chatMessageSend"]["edge"].clone()
    }

    /// Writes or rewrites the review of a schedule; its id. That one was there is the host's word, which the review
    /// room may hear a moment later.
    pub async fn review(&self, schedule: &str, rating: i32, body: &str) -> String {
        let input = json!({ "scheduleId": schedule, "rating": rating, "body": body });
        let data = eventually(async || {
            let body = self.graphql(REVIEW, json!({ "input": input })).await;
            if user_error_codes(&body) == ["WRONG_STATE"] {
                Err(body)
            } else {
                Ok(expect_data(&body).clone())
            }
        })
        .await;
        data["reviewWrite"]["review"]["id"].as_str().unwrap().to_owned()
    }
}

/// An instant so many hours from now, as `DateTime` spells it.
#[allow(clippy::disallowed_methods, reason = "tests ask for meetups in the system's own future")]
pub fn in_hours(hours: i64) -> String {
    (chrono::Utc::now() + chrono::Duration::hours(hours)).to_rfc3339()
}

/// An instant so soon from now, as `DateTime` spells it.
#[allow(clippy::disallowed_methods, reason = "tests ask for meetups in the system's own future")]
pub fn in_time(lead: std::time::Duration) -> String {
    (chrono::Utc::now() + lead).to_rfc3339()
}

fn changed(mut input: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    input.as_object_mut().unwrap().extend(changes);
    input
}

const SIGN_UP: &str = "mutation($input: AuthSignUpInput!) {
  authSignUp(input: $input) {
    tokens { accessToken refreshToken } viewer { id member { id } } userErrors { code message path }
  }
}";
const LOG_IN: &str = "mutation($input: AuthLogInInput!) {
  authLogIn(input: $input) {
    tokens { accessToken refreshToken } userErrors { code message path }
  }
}";
const CREATE_GATHERING: &str = "mutation($input: GatheringCreateInput!) {
  gatheringCreate(input: $input) { gathering { id } userErrors { code message path } }
}";
const JOIN: &str = "mutation($input: GatheringJoinInput!) {
  gatheringJoin(input: $input) { membership { id } userErrors { code message path } }
}";
const CREATE_SCHEDULE: &str = "mutation($input: ScheduleCreateInput!) {
  scheduleCreate(input: $input) { schedule { id } userErrors { code message path } }
}";
const ATTEND: &str = "mutation($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state waitlistPosition } userErrors { code message path }
  }
}";
const TOP_UP: &str = "mutation($amount: Int!, $key: String!) {
  walletTopUp(input: { amount: $amount }) @idempotent(key: $key) {
    viewer { id } userErrors { code message path }
  }
}";
const SAY: &str = "mutation($input: ChatMessageSendInput!) {
  chatMessageSend(input: $input) {
    edge { cursor node { id body clientId } } userErrors { code message path }
  }
}";
const REVIEW: &str = "mutation($input: ReviewWriteInput!) {
  reviewWrite(input: $input) { review { id } userErrors { code message path } }
}";
