//! PostgreSQL that is gone, frozen or locked: errors at once that are worth another try, no pile-up, and recovery
//! without a restart.

use std::time::Duration;

use futures::future::join_all;
use moim_e2e::{Mode, Person, Platform, Value, error_codes, expect_data, json};
use moim_storage::{Config, Db, args};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::scene::{SLACK, Scene};

/// Rooms wait no longer than people should, but long enough to start on a busy machine.
pub const KNOBS: [(&str, &str); 3] = [
    ("MOIM_STORAGE__ACQUIRE_TIMEOUT_MS", "1500"),
    ("MOIM_STORAGE__LOCK_TIMEOUT_MS", "500"),
    ("MOIM_BFF__MUTATION_DEADLINE_MS", "2500"),
];
/// For an answer that says that the database is not there.
const AT_ONCE: Duration = Duration::from_millis(2_500);
const WITHIN: Duration = Duration::from_secs(30);
const CLAIMS: usize = 24;
const SEATS: usize = 12;

const SAY: &str = "mutation($id: ID!, $client: ID!) {
  chatMessageSend(input: { gatheringId: $id, body: \"여보세요?\", clientId: $client }) {
    edge { node { id } } userErrors { code }
  }
}";
const ATTEND: &str = "mutation($id: ID!, $key: String!) {
  scheduleAttend(input: { scheduleId: $id, allowOverlap: true }) @idempotent(key: $key) {
    attendance { id state } userErrors { code message }
  }
}";

/// Gone, then frozen, each until it is there again.
pub async fn is_away(scene: &Scene) {
    let way = scene.platform.way("postgres");
    for mode in [Mode::Refuse, Mode::Hang] {
        way.set(mode.clone());
        let client = Uuid::now_v7().to_string();
        let said = json!({ "id": scene.gathering, "client": client });
        let began = Instant::now();
        let (written, read) = tokio::join!(
            scene.host.graphql(SAY, said.clone()),
            scene.host.graphql("{ regions { name } viewer { email } }", json!({}))
        );
        let took = began.elapsed();
        for body in [written, read] {
            let codes = error_codes(&body);
            let known = |code: &String| ["UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&&**code);
            assert!(!codes.is_empty() && codes.iter().all(known), "{mode:?}: {body:#}");
        }
        assert!(took < AT_ONCE + SLACK, "{mode:?}: somebody waited {took:?}");
        println!("PostgreSQL {mode:?}: told after {} ms", took.as_millis());

        // Whoever needs no database answers, and the process lives.
        let found = scene.viewer.graphql("{ searchSuggestions(prefix: \"등\") }", json!({})).await;
        assert!(found["data"]["searchSuggestions"].is_array(), "{mode:?}: {found:#}");
        assert_eq!(scene.viewer.get("/healthz").await.status(), 200);

        way.set(Mode::Pass);
        let back = Instant::now();
        let edge =
            eventually_done(&scene.host, SAY, &said).await["chatMessageSend"]["edge"].clone();
        let again = eventually_done(&scene.host, SAY, &said).await;
        assert_eq!(again["chatMessageSend"]["edge"], edge, "said once");
        let due = Instant::now() + WITHIN;
        let mut run = 0;
        while run < 12 {
            let (body, _) = scene.ask().await;
            // What was said just now is one more message.
            run = if body.get("errors").is_none() { run + 1 } else { 0 };
            assert!(Instant::now() < due, "{mode:?}: {body:#}");
        }
        println!("PostgreSQL {mode:?}: back to normal after {} ms", back.elapsed().as_millis());
    }
}

/// A process whose database is away lives, says that it is not to be sent work, and is once it is back.
pub async fn shows(platform: &Platform) {
    let client = platform.client();
    let status = async |path: &str| client.get(path).await.status().as_u16();
    let turns = async |path: &str, wanted: u16| {
        let due = Instant::now() + WITHIN;
        while status(path).await != wanted {
            assert!(Instant::now() < due, "{path} does not become {wanted}");
            sleep(Duration::from_millis(50)).await;
        }
    };
    assert_eq!((status("/healthz").await, status("/readyz").await), (200, 200));
    for mode in [Mode::Refuse, Mode::Hang] {
        platform.way("postgres").set(mode);
        turns("/readyz", 503).await;
        assert_eq!(status("/healthz").await, 200);
        platform.way("postgres").set(Mode::Pass);
        turns("/readyz", 200).await;
    }
}

/// The table of attendances is locked under many claims: they are turned away, and come in once it is free.
pub async fn is_locked(scene: &Scene) {
    let mut people = Vec::new();
    for number in 0..CLAIMS {
        let person = scene.platform.sign_up(&format!("claimant{number}")).await;
        person.join(&scene.gathering).await;
        people.push(person);
    }
    let schedule = scene.host.create_schedule(&scene.gathering, json!({ "capacity": SEATS })).await;
    let claims: Vec<_> = people
        .iter()
        .map(|person| (person, json!({ "id": schedule, "key": Uuid::now_v7().to_string() })))
        .collect();
    let config = Config { url: scene.platform.database().to_owned(), ..Config::default() };
    let db = Db::open(&config, scene.platform.directory(), "schedule").await.unwrap();
    let mut lock = db.begin().await.unwrap();
    lock.execute("LOCK TABLE attendance IN ACCESS EXCLUSIVE MODE", args![]).await.unwrap();

    let began = Instant::now();
    let refused =
        join_all(claims.iter().map(|(person, claim)| person.graphql(ATTEND, claim.clone()))).await;
    let took = began.elapsed();
    for body in refused {
        let told = &body["errors"][0]["extensions"];
        let known = ["CONFLICT", "UNAVAILABLE", "DEADLINE_EXCEEDED"]
            .map(Value::from)
            .contains(&told["code"]);
        let waits = told["retryAfterMs"].as_i64().is_some_and(|ms| ms > 0);
        assert!(known && waits && told["retryable"] == true, "{body:#}");
    }
    assert!(took < AT_ONCE + SLACK, "somebody waited {took:?}");
    println!("{CLAIMS} claims on a locked table: all told after {} ms", took.as_millis());
    // Nobody who needs no seat stands behind them.
    let body = scene
        .host
        .graphql("{ regions { name } viewer { email wallet { balance } } }", json!({}))
        .await;
    expect_data(&body);

    drop(lock);
    let states = join_all(claims.iter().map(async |(person, claim)| {
        let data = eventually_done(person, ATTEND, claim).await;
        data["scheduleAttend"]["attendance"]["state"].as_str().unwrap().to_owned()
    }))
    .await;
    let going = states.iter().filter(|state| *state == "GOING").count();
    assert_eq!((going, states.len()), (SEATS, CLAIMS), "{states:?}");
    db.close().await;
}

/// Tries until the answer is not one to be tried again; its data.
async fn eventually_done(person: &Person, mutation: &str, variables: &Value) -> Value {
    let due = Instant::now() + WITHIN;
    loop {
        let body = person.graphql(mutation, variables.clone()).await;
        let Some(errors) = body["errors"].as_array() else { return expect_data(&body).clone() };
        assert!(errors.iter().all(|error| error["extensions"]["retryable"] == true), "{body:#}");
        assert!(Instant::now() < due, "{body:#}");
        sleep(Duration::from_millis(100)).await;
    }
}
