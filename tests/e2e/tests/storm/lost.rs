//! Answers that are lost after the work was done: the same key gives the first answer, and it is done once.

use std::time::Duration;

use moim_e2e::{Mode, Person, Value, expect_data, in_hours, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::scene::Scene;

const ATTEND: &str = "mutation($id: ID!, $key: String!) {
  scheduleAttend(input: { scheduleId: $id, allowOverlap: true }) @idempotent(key: $key) {
    attendance { id state updatedAt } userErrors { code message }
  }
}";
const JOIN: &str =
    "mutation($id: ID!) { gatheringJoin(input: { gatheringId: $id }) { membership { id } } }";
const SEATS: &str =
    "query($id: ID!) { node(id: $id) { ... on Schedule { goingCount waitlistCount } } }";
/// Of PostgreSQL's protocol: a simple query that commits.
const COMMIT: &[u8] = b"COMMIT";
const WITHIN: Duration = Duration::from_secs(30);
const CUTS: usize = 3;
/// So few failures do not open a breaker where many more ask.
pub const MANY_ASK: [(&str, &str); 1] = [("MOIM_SHIELD__BREAKER__MINIMUM_CALLS", "1000")];

/// What the way does to answers, and how the next asker finds it again.
type Fault<'a> = &'a mut dyn FnMut(&mut Scene, bool);

/// Takes a seat while answers are lost, and again under the same key once they are not.
async fn attend_through(scene: &mut Scene, fault: Fault<'_>) {
    let guest = newcomer(scene).await;
    let times = json!({ "startsAt": in_hours(24 * 20), "endsAt": in_hours(24 * 20 + 1) });
    let schedule = scene.host.create_schedule(&scene.gathering, times).await;
    let seat = json!({ "id": schedule, "key": Uuid::now_v7().to_string() });
    let began = Instant::now();
    fault(scene, true);
    let lost = guest.graphql(ATTEND, seat.clone()).await;
    let told = &lost["errors"][0]["extensions"];
    assert_eq!(
        (&told["service"], &told["retryable"]),
        (&json!("schedule"), &json!(true)),
        "{lost:#}"
    );
    fault(scene, false);
    let healed = Instant::now();

    let first = retried(&guest, ATTEND, &seat).await;
    assert_eq!(first["scheduleAttend"]["attendance"]["state"], "GOING");
    assert_eq!(retried(&guest, ATTEND, &seat).await, first, "one key, one answer");
    let counts = guest.data(SEATS, json!({ "id": schedule })).await;
    assert_eq!(counts["node"], json!({ "goingCount": 1, "waitlistCount": 0 }), "one effect");
    println!(
        "an answer lost: {} after {:?}, the first answer again {:?} after it healed",
        told["code"],
        healed - began,
        healed.elapsed()
    );
}

/// Somebody who may go, and whom the schedule room knows.
async fn newcomer(scene: &Scene) -> Person {
    let guest = scene
        .platform
        .sign_up(&format!("guest{}", &Uuid::now_v7().simple().to_string()[20..]))
        .await;
    // What befell the database last may have befallen this room's connections to it too.
    retried(&guest, JOIN, &json!({ "id": scene.gathering })).await;
    let known = scene.host.create_schedule(&scene.gathering, json!({})).await;
    guest.attend(&known).await;
    guest
}

/// Tries with the same variables until the answer is not one to be tried again; its data.
async fn retried(guest: &Person, document: &str, variables: &Value) -> Value {
    let due = Instant::now() + WITHIN;
    loop {
        let body = guest.graphql(document, variables.clone()).await;
        let Some(errors) = body["errors"].as_array() else {
            return expect_data(&body).clone();
        };
        assert!(errors.iter().all(|error| error["extensions"]["retryable"] == true), "{body:#}");
        assert!(Instant::now() < due, "{body:#}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Between the endpoint and the room: the room does the work, and nobody hears of it.
pub async fn on_the_way_to_the_room(scene: &mut Scene) {
    let mut deaf = |scene: &mut Scene, on: bool| {
        scene.platform.way("schedule").set(if on { Mode::Deaf } else { Mode::Pass });
    };
    attend_through(scene, &mut deaf).await;
}

/// Between the room and its database: the commit is done, and the room does not hear of it.
pub async fn on_the_way_to_the_database(scene: &mut Scene) {
    let mut deaf = |scene: &mut Scene, on: bool| {
        scene.platform.way("postgres").set(if on { Mode::DeafFrom(COMMIT) } else { Mode::Pass });
    };
    attend_through(scene, &mut deaf).await;
}

/// A room that is frozen with the question in its hands goes on with it when it is thawed.
pub async fn in_a_frozen_room(scene: &mut Scene) {
    let mut frozen = |scene: &mut Scene, on: bool| {
        let room = scene.platform.room("schedule");
        if on { room.freeze() } else { room.thaw() }
    };
    attend_through(scene, &mut frozen).await;
}

/// A connection is cut in the middle of answers, again and again: reads are tried once more, and nobody notices.
pub async fn now_and_then(scene: &Scene) {
    use crate::load::Load;
    use crate::wide::Verdict;

    let load = Load::of(scene, 2, Duration::from_millis(100), &["schedule"]);
    load.until(Instant::now(), &Verdict::Whole, 8).await;
    let since = Instant::now();
    // Not more than may be asked for again within a while.
    for _ in 0..CUTS {
        sleep(Duration::from_millis(1_900)).await;
        scene.platform.way("schedule").cut();
    }
    sleep(Duration::from_millis(500)).await;
    let answers = load.since(since);
    load.stop().await;
    let short: Vec<_> = answers.iter().filter(|it| it.verdict != Verdict::Whole).collect();
    println!("cut {CUTS} times: {} answers, {} of them short", answers.len(), short.len());
    assert!(short.is_empty(), "{short:#?}");
}
