//! Seats taken twice at once, taken and given back in circles, or in somebody else's name.

use futures::future::join_all;
use moim_e2e::{Person, Platform, Value, error_codes, json, on_both_shapes, user_error_codes};

use crate::scene::assert_quiet;

const COUNTS: &str = "query($id: ID!) { node(id: $id) { ... on Schedule {
    capacity goingCount heldCount waitlistCount viewerAttendance { state } } } }";
const WITHDRAW: &str = "mutation($id: ID!, $key: String!) {
    scheduleWithdraw(input: { scheduleId: $id }) @idempotent(key: $key) { userErrors { code } } }";

async fn counts(person: &Person, schedule: &str) -> Value {
    person.data(COUNTS, json!({ "id": schedule })).await["node"].clone()
}

/// A schedule of so many seats, and two members who may attend it.
async fn seats(platform: &Platform, capacity: u32) -> (String, Person, Person) {
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({ "capacity": capacity })).await;
    let people = [platform.sign_up("first").await, platform.sign_up("second").await];
    for person in &people {
        person.join(&gathering).await;
    }
    let [first, second] = people;
    (schedule, first, second)
}

on_both_shapes! {
    async fn a_seat_claimed_many_times_at_once_is_one_seat(platform: Platform) {
        let (schedule, greedy, other) = seats(&platform, 3).await;
        assert_eq!(counts(&greedy, &schedule).await["goingCount"], 0);
        // Aliases of one operation, and operations beside each other, each under a key of its own.
        let claim = |n: usize| {
            let fields: String = (0..3)
                .map(|a| format!(
                    "a{a}: scheduleAttend(input: {{ scheduleId: $id }}) @idempotent(key: \"claim-{n}-{a}\") {{
                       attendance {{ state }} userErrors {{ code }} }} "
                ))
                .collect();
            format!("mutation($id: ID!) {{ {fields} }}")
        };
        let queries: Vec<_> = (0..10).map(claim).collect();
        let answers = queries.iter().map(|query| greedy.graphql(query, json!({ "id": schedule })));
        for body in join_all(answers).await {
            let known = ["CONFLICT", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RATE_LIMITED"];
            assert!(error_codes(&body).iter().all(|code| known.contains(&&**code)), "{body}");
        }
        let after = counts(&greedy, &schedule).await;
        assert_eq!((&after["goingCount"], &after["heldCount"]), (&json!(1), &json!(0)), "{after}");
        assert_eq!(after["viewerAttendance"]["state"], "GOING");
        other.attend(&schedule).await;
        assert_eq!(counts(&other, &schedule).await["goingCount"], 2);
        assert_quiet(&platform);
    }
}

#[tokio::test]
async fn whoever_takes_and_gives_back_in_circles_stands_behind_those_who_wait() {
    let platform = Platform::one_process().await;
    let (schedule, restless, patient) = seats(&platform, 1).await;
    restless.attend(&schedule).await;
    assert_eq!(patient.attend(&schedule).await["state"], "WAITLISTED");
    for round in 0..20 {
        let key = format!("round-{round}");
        let body = restless.graphql(WITHDRAW, json!({ "id": schedule, "key": key })).await;
        assert_eq!(user_error_codes(&body), Vec::<String>::new());
        assert_eq!(restless.attend(&schedule).await["state"], "WAITLISTED", "round {round}");
        let now = counts(&patient, &schedule).await;
        assert_eq!(now["viewerAttendance"]["state"], "GOING", "round {round}: {now}");
        let numbers = ["goingCount", "heldCount", "waitlistCount"].map(|name| now[name].as_i64());
        assert_eq!(numbers, [Some(1), Some(0), Some(1)], "round {round}: {now}");
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn nobody_sits_down_or_gets_up_for_somebody_else() {
    let platform = Platform::one_process().await;
    let (schedule, first, second) = seats(&platform, 3).await;
    let attendance = first.attend(&schedule).await;
    for (mutation, fields) in [
        ("scheduleAttend", json!({ "scheduleId": schedule, "memberId": second.id })),
        ("scheduleAttend", json!({ "scheduleId": schedule, "onBehalfOf": second.id })),
        ("scheduleWithdraw", json!({ "scheduleId": schedule, "memberId": first.id })),
        ("scheduleWithdraw", json!({ "attendanceId": attendance["id"] })),
    ] {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) @idempotent(key: \"other\") {{
               userErrors {{ code }} }} }}"
        );
        let body = second.graphql(&query, json!({ "input": fields })).await;
        let codes = error_codes(&body);
        assert!(["VALIDATION_FAILED", "INVALID"].contains(&&*codes[0]), "{mutation}: {body}");
    }
    // Getting up means one's own seat, of which there is none.
    let body = second.graphql(WITHDRAW, json!({ "id": schedule, "key": "mine" })).await;
    assert_eq!(user_error_codes(&body).len(), 1, "{body}");
    let after = counts(&first, &schedule).await;
    assert_eq!(
        (&after["goingCount"], &after["viewerAttendance"]["state"]),
        (&json!(1), &json!("GOING"))
    );
    second.attend(&schedule).await;
    assert_quiet(&platform);
}
