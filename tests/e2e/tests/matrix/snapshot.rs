//! Everything that a mutation could have changed, as one value to compare.

use moim_e2e::{Client, Value, json};

use crate::scene::Scene;

/// The platform as somebody sees it; equal before and after whatever writes nothing.
pub async fn snapshot(client: &Client, scene: &Scene) -> Value {
    let mut all = Vec::new();
    let past = scene.knows("past").then_some(REVIEWS);
    for query in QUERIES.into_iter().chain(past) {
        all.push(client.data(&scene.fill(query), json!({})).await);
    }
    Value::from(all)
}

/// Of what each gathering holds, its versions show in `updatedAt`, its counts in its own fields.
const QUERIES: [&str; 3] = [
    "{ gatherings(first: 100, sort: NEWEST) { edges { node { id title description category
        region { id } imageUrl joinPolicy status capacity memberCount host { id nickname } } } } }",
    r#"{
        viewer { id email member { nickname bio avatarUrl joinedAt }
          memberships(first: 100) { edges { node { id role status updatedAt } } }
          attendances(first: 100) { edges { node { id state updatedAt } } }
          wallet { balance held entries(first: 100) { edges { node { id } } } } }
        guest: member(by: { id: "<guest>" }) { nickname bio avatarUrl viewerHasBlocked }
    }"#,
    r#"{ node(id: "<gathering>") { ... on Gathering { title
        active: members(first: 20) { ...Roster }
        pending: members(status: PENDING, first: 20) { ...Roster }
        left: members(status: LEFT, first: 20) { ...Roster }
        removed: members(status: REMOVED, first: 20) { ...Roster }
        banned: members(status: BANNED, first: 20) { ...Roster }
        rejected: members(status: REJECTED, first: 20) { ...Roster }
        schedules(first: 9) { edges { node { id title description place startsAt endsAt timeZone
          capacity goingCount heldCount waitlistCount fee refundableUntil status
          going: attendances(first: 9) { ...Line }
          waiting: attendances(state: WAITLISTED, first: 9) { ...Line }
          withdrawn: attendances(state: WITHDRAWN, first: 9) { ...Line } } } }
        messages(last: 20) { edges { node { id body sentAt author { id } } } } } } }
      fragment Roster on MembershipConnection { edges { node { id role status message updatedAt } } }
      fragment Line on AttendanceConnection { edges { node { id state updatedAt } } }"#,
];

/// The review room's rating follows by itself; of what it follows from nothing is left out.
const REVIEWS: &str = r#"{ node(id: "<past>") { ... on Gathering {
    reviews(first: 20) { edges { node { id rating body createdAt updatedAt author { id } } } } } } }"#;
