//! Being told what others did, never what one did oneself, and having read it.

use moim_e2e::{Person, Value, eventually, held, in_hours, json, on_both_shapes};

const BELL: &str = "{ viewer { unreadNotificationCount
  notifications(first: 50) { edges { node { id kind readAt text subject { __typename id } } } }
} }";
const DECIDE: &str = "mutation($id: ID!) {
  membershipDecide(input: { membershipId: $id, approve: true }) { userErrors { code } }
}";
const UPDATE: &str = "mutation($input: ScheduleUpdateInput!) {
  scheduleUpdate(input: $input) { userErrors { code message path } }
}";
const CANCEL: &str = "mutation($id: ID!) {
  scheduleCancel(input: { scheduleId: $id, reason: \"비가 와요\" }) { userErrors { code } }
}";
const WITHDRAW: &str = "mutation($id: ID!) {
  scheduleWithdraw(input: { scheduleId: $id }) { userErrors { code } }
}";
const MARK: &str = "mutation($id: ID!) {
  notificationMarkRead(input: { upToId: $id }) {
    viewer { unreadNotificationCount } userErrors { code }
  }
}";

async fn bell(person: &Person) -> Vec<Value> {
    let data = person.data(BELL, json!({})).await;
    let edges = data["viewer"]["notifications"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

/// Kinds of all notifications of a person once there are so many, oldest first.
async fn told(person: &Person, kinds: &[&str]) -> Vec<Value> {
    eventually(async || {
        let mut bell = bell(person).await;
        bell.reverse();
        let found: Vec<_> = bell.iter().map(|it| it["kind"].as_str().unwrap()).collect();
        if found == kinds { Ok(bell) } else { Err(json!(found)) }
    })
    .await
}

on_both_shapes! {
    async fn everybody_is_told_what_concerns_them_and_nobody_of_their_own_acts(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
        let member = platform.sign_up("member").await;
        let request = member.join(&gathering).await;
        let asked = told(&host, &["MEMBERSHIP_REQUESTED"]).await;
        assert_eq!(asked[0]["subject"], json!({ "__typename": "Membership", "id": request }));
        assert!(asked[0]["text"].as_str().unwrap().contains("member"), "{asked:?}");

        host.data(DECIDE, json!({ "id": request })).await;
        told(&member, &["MEMBERSHIP_DECIDED"]).await;
        let schedule = host.create_schedule(&gathering, json!({ "capacity": 1 })).await;
        told(&member, &["MEMBERSHIP_DECIDED", "SCHEDULE_CREATED"]).await;
        host.attend(&schedule).await;
        assert_eq!(member.attend(&schedule).await["state"], "WAITLISTED");
        host.data(WITHDRAW, json!({ "id": schedule })).await;
        told(&member, &["MEMBERSHIP_DECIDED", "SCHEDULE_CREATED", "SEAT_GRANTED"]).await;
        let moved = json!({
            "scheduleId": schedule, "startsAt": in_hours(200), "endsAt": in_hours(201),
        });
        host.data(UPDATE, json!({ "input": moved })).await;
        let so_far = ["MEMBERSHIP_DECIDED", "SCHEDULE_CREATED", "SEAT_GRANTED", "SCHEDULE_CHANGED"];
        told(&member, &so_far).await;
        host.data(CANCEL, json!({ "id": schedule })).await;
        let bell = told(&member, &[&so_far[..], &["SCHEDULE_CANCELLED"]].concat()).await;
        assert_eq!(bell[4]["subject"], json!({ "__typename": "Schedule", "id": schedule }));
        told(&host, &["MEMBERSHIP_REQUESTED"]).await;
    }

    async fn a_host_is_told_of_a_review(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        member.join(&gathering).await;
        let over = held(&host, &gathering, &[&member, &host]).await.schedule;
        let review = member.review(&over, 5, "좋았어요.").await;
        let bell = told(&host, &["REVIEW_RECEIVED"]).await;
        assert_eq!(bell[0]["subject"], json!({ "__typename": "Review", "id": review }));
        // The host's own review, and a second version of the member's, are no news.
        host.review(&over, 5, "저도요.").await;
        member.review(&over, 4, "다시 생각해 보니").await;
        let other = platform.sign_up("other").await;
        let apart = host.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
        other.join(&apart).await;
        told(&host, &["REVIEW_RECEIVED", "MEMBERSHIP_REQUESTED"]).await;
    }

    async fn reading_one_reads_all_older_ones_and_the_count_follows(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        let first = host.create_schedule(&gathering, json!({})).await;
        member.join(&gathering).await;
        // Once the member attends, the schedule room knows whom to tell of the next ones.
        member.attend(&first).await;
        for _ in 0..3 {
            host.create_schedule(&gathering, json!({})).await;
        }
        let bell_rung = told(&member, &["SCHEDULE_CREATED"; 3]).await;
        let count = async || {
            member.data(BELL, json!({})).await["viewer"]["unreadNotificationCount"].clone()
        };
        assert_eq!(count().await, 3);
        let middle = json!({ "id": bell_rung[1]["id"] });
        let marked = member.data(MARK, middle.clone()).await;
        assert_eq!(marked["notificationMarkRead"]["viewer"]["unreadNotificationCount"], 1);
        let read: Vec<_> = bell(&member).await.iter().map(|it| !it["readAt"].is_null()).collect();
        assert_eq!(read, [false, true, true]);
        // Again, and an older one: nothing becomes unread.
        member.data(MARK, middle).await;
        member.data(MARK, json!({ "id": bell_rung[0]["id"] })).await;
        assert_eq!(count().await, 1);
        assert_eq!(bell(&host).await, Vec::<Value>::new());
    }
}
