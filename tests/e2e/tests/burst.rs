//! Five hundred people want fifty seats at once, through two processes on one PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use moim_e2e::{Client, Person, Platform, Value, expect_data, json};
use tokio::sync::Barrier;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const PEOPLE: usize = 500;
const SEATS: usize = 50;
/// Every so many people press the button twice.
const IMPATIENT: usize = 7;
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

const ATTEND: &str = "mutation($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state waitlistPosition } userErrors { code message }
  }
}";
const LINE: &str = "query($id: ID!, $state: AttendanceState!, $after: String) {
  node(id: $id) { ... on Schedule {
    goingCount waitlistCount status
    attendances(state: $state, first: 100, after: $after) {
      edges { node { id waitlistPosition } } pageInfo { hasNextPage endCursor }
    }
  } }
}";

/// What somebody was told, and between which instants it was decided.
#[derive(Clone, Debug)]
struct Outcome {
    id: String,
    /// Place in line; nothing for a seat.
    position: Option<i64>,
    asked: Instant,
    told: Instant,
}

/// Tries under one key until the answer is not one to be tried again; fails on anything else.
async fn attend(client: &Client, schedule: &str, key: &str) -> Outcome {
    let variables = json!({ "input": { "scheduleId": schedule }, "key": key });
    let asked = Instant::now();
    for _ in 0..TRIES {
        let answer = client.send(ATTEND, variables.clone()).await;
        assert!(answer.status < 500, "{}: {}", answer.status, answer.body);
        let Some(errors) = answer.body["errors"].as_array() else {
            let attendance = &expect_data(&answer.body)["scheduleAttend"]["attendance"];
            let position = attendance["waitlistPosition"].as_i64();
            let state = if position.is_some() { "WAITLISTED" } else { "GOING" };
            assert_eq!(attendance["state"], state);
            let id = attendance["id"].as_str().unwrap().to_owned();
            return Outcome { id, position, asked, told: Instant::now() };
        };
        assert!(errors.iter().all(|error| error["extensions"]["retryable"] == true), "{errors:?}");
        // Who finds no place is told when to come again.
        let told = errors[0]["extensions"]["retryAfterMs"].as_u64();
        sleep(told.map_or(PAUSE, Duration::from_millis)).await;
    }
    panic!("no answer after {TRIES} tries");
}

/// Everybody signed up and in the gathering, half of them at each process.
async fn gather(platform: &Platform, gathering: &str) -> Vec<Person> {
    let comings = (0..PEOPLE).map(|number| async move {
        let person = platform.sign_up(&format!("person{number}")).await;
        person.join(gathering).await;
        let client = person.client.at(platform.client_at(number % 2).url());
        Person { client, ..person }
    });
    stream::iter(comings).buffered(16).collect().await
}

/// Everybody presses at the same moment, some of them twice: the second time at the other process.
async fn rush(platform: &Platform, people: &[Person], schedule: &str) -> Vec<Outcome> {
    let start = Barrier::new(people.len());
    let attempts = people.iter().enumerate().map(|(number, person)| {
        let start = &start;
        async move {
            let key = Uuid::now_v7().to_string();
            start.wait().await;
            if number % IMPATIENT != 0 {
                return attend(person, schedule, &key).await;
            }
            let elsewhere = person.at(platform.client_at((number + 1) % 2).url());
            let (once, twice) =
                tokio::join!(attend(person, schedule, &key), attend(&elsewhere, schedule, &key));
            assert_eq!(
                (&once.id, once.position),
                (&twice.id, twice.position),
                "one key, one answer"
            );
            Outcome { asked: once.asked.min(twice.asked), told: once.told.min(twice.told), ..once }
        }
    });
    join_all(attempts).await
}

/// Everybody in one state as the host sees them, first come first.
async fn line(host: &Person, schedule: &str, state: &str) -> Vec<(String, Option<i64>)> {
    let mut line = Vec::new();
    let mut after = Value::Null;
    loop {
        let variables = json!({ "id": schedule, "state": state, "after": after });
        let data = host.data(LINE, variables).await;
        let page = &data["node"]["attendances"];
        for edge in page["edges"].as_array().unwrap() {
            let id = edge["node"]["id"].as_str().unwrap().to_owned();
            line.push((id, edge["node"]["waitlistPosition"].as_i64()));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return line;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_seat_is_given_once_and_the_line_keeps_the_order_of_arrival() {
    let Some(platform) = Platform::twins().await else { return };
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({ "capacity": 600 })).await;
    let schedule = host.create_schedule(&gathering, json!({ "capacity": SEATS })).await;
    let people = gather(&platform, &gathering).await;

    let outcomes = rush(&platform, &people, &schedule).await;

    let seated: BTreeSet<_> =
        outcomes.iter().filter(|it| it.position.is_none()).map(|it| it.id.clone()).collect();
    assert_eq!(seated.len(), SEATS);
    let mut waiting: Vec<_> =
        outcomes.iter().filter_map(|it| Some((it.position?, it.id.clone()))).collect();
    waiting.sort();
    let positions: Vec<_> = waiting.iter().map(|(position, _)| *position).collect();
    let every: Vec<_> = (1..).take(PEOPLE - SEATS).collect();
    assert_eq!(positions, every, "each place in line once");

    // What people were told is what is kept, in the order in which they came.
    let going = line(&host, &schedule, "GOING").await;
    assert_eq!(going.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), seated);
    let told: Vec<_> = waiting.into_iter().map(|(position, id)| (id, Some(position))).collect();
    assert_eq!(line(&host, &schedule, "WAITLISTED").await, told);

    // Nobody who had an answer before somebody else asked stands behind them.
    for early in &outcomes {
        for late in outcomes.iter().filter(|late| early.told < late.asked) {
            assert!(early.position <= late.position, "{early:?} came before {late:?}");
        }
    }
    let last = host.attend(&schedule).await;
    assert_eq!(last["waitlistPosition"], PEOPLE - SEATS + 1);
}
