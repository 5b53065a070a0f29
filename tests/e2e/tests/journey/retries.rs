//! Sending a mutation twice under one key: done once, answered alike.

use moim_e2e::{Value, json, on_both_shapes, user_error_codes};

const CREATE: &str = "mutation($input: GatheringCreateInput!, $key: String!) {
  gatheringCreate(input: $input) @idempotent(key: $key) {
    gathering { id title createdAt } userErrors { code }
  }
}";
const ATTEND: &str = "mutation($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state waitlistPosition updatedAt } userErrors { code }
  }
}";
const WITHDRAW: &str = "mutation($id: ID!, $key: String!) {
  scheduleWithdraw(input: { scheduleId: $id }) @idempotent(key: $key) {
    attendance { id state updatedAt } userErrors { code }
  }
}";

fn input(title: &str, region: &str) -> Value {
    json!({
        "title": title, "description": "함께 걷습니다.", "category": "OUTDOORS",
        "regionId": region, "capacity": 10,
    })
}

on_both_shapes! {
    async fn a_repeated_mutation_is_done_once_and_answered_alike(platform: Platform) {
        let host = platform.sign_up("host").await;
        let region = host.region().await;
        let variables = json!({ "input": input("아침 산책", &region), "key": "walk" });
        let first = host.data(CREATE, variables.clone()).await;
        let second = host.data(CREATE, variables.clone()).await;
        assert_eq!(first, second);
        let own = "{ viewer { memberships(first: 10) { edges { node { id } } } } }";
        let data = host.data(own, json!({})).await;
        assert_eq!(data["viewer"]["memberships"]["edges"].as_array().unwrap().len(), 1);

        let other = json!({ "input": input("저녁 산책", &region), "key": "walk" });
        assert_eq!(user_error_codes(&host.graphql(CREATE, other).await), ["IDEMPOTENCY_KEY_REUSED"]);
        let neighbour = platform.sign_up("neighbour").await;
        let theirs = neighbour.data(CREATE, variables).await;
        assert_ne!(theirs["gatheringCreate"]["gathering"]["id"], first["gatheringCreate"]["gathering"]["id"]);
    }

    async fn a_repeated_sign_up_for_a_seat_keeps_the_first_answer(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let schedule = host.create_schedule(&gathering, json!({ "capacity": 1 })).await;
        let attend = json!({ "input": { "scheduleId": schedule }, "key": "seat" });
        let first = host.data(ATTEND, attend.clone()).await;
        host.data(WITHDRAW, json!({ "id": schedule, "key": "away" })).await;
        assert_eq!(host.data(ATTEND, attend).await, first);

        let ask = "query($id: ID!) {
          node(id: $id) { ... on Schedule { goingCount viewerAttendance { state } } }
        }";
        let now = host.data(ask, json!({ "id": schedule })).await;
        assert_eq!(now["node"], json!({ "goingCount": 0, "viewerAttendance": { "state": "WITHDRAWN" } }));

        let keyless = "mutation($id: ID!) {
          scheduleAttend(input: { scheduleId: $id }) { attendance { id } userErrors { code } }
        }";
        let body = host.graphql(keyless, json!({ "id": schedule })).await;
        assert_eq!(user_error_codes(&body), ["INVALID"]);
    }
}
