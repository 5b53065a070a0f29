//! Saying what a meetup was like, changing one's mind, and the gathering's rating that follows.

use moim_e2e::{Person, Value, eventually, held, json, on_both_shapes, user_error_codes};

const WRITE: &str = "mutation($id: ID!) {
  reviewWrite(input: { scheduleId: $id, rating: 5, body: \"좋았어요\" }) {
    review { id } userErrors { code }
  }
}";
const DELETE: &str = "mutation($id: ID!) {
  reviewDelete(input: { reviewId: $id }) { deletedId userErrors { code } }
}";
const REVIEWS: &str = "query($gathering: ID!, $schedule: ID!) {
  gathering: node(id: $gathering) { ... on Gathering {
    reviews(first: 9) { edges { node { rating body author { nickname } schedule { id } } } } } }
  schedule: node(id: $schedule) { ... on Schedule {
    reviews(first: 9) { edges { node { rating body author { nickname } schedule { id } } } } } }
}";
const RATING: &str = "query($id: ID!) { node(id: $id) { ... on Gathering { rating } } }";

/// The room that keeps gatherings hears of reviews by itself.
async fn rated(reader: &Person, gathering: &str, rating: Value) {
    eventually(async || {
        let data = reader.data(RATING, json!({ "id": gathering })).await;
        if data["node"]["rating"] == rating { Ok(()) } else { Err(data) }
    })
    .await;
}

on_both_shapes! {
    async fn attendees_write_rewrite_and_take_back_and_the_rating_follows(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        let guest = platform.sign_up("guest").await;
        member.join(&gathering).await;
        guest.join(&gathering).await;
        rated(&member, &gathering, Value::Null).await;

        let schedule = held(&host, &gathering, &[&member, &guest]).await.schedule;
        let review = member.review(&schedule, 2, "길을 잃었어요.").await;
        rated(&member, &gathering, json!(2.0)).await;
        guest.review(&schedule, 5, "그래서 더 좋았어요.").await;
        rated(&member, &gathering, json!(3.5)).await;
        assert_eq!(member.review(&schedule, 4, "생각해 보니 재미있었어요.").await, review);
        rated(&member, &gathering, json!(4.5)).await;

        let variables = json!({ "gathering": gathering, "schedule": schedule });
        let lists = platform.client().data(REVIEWS, variables).await;
        let of = |nickname: &str, rating: i32, body: &str| json!({ "node": {
            "rating": rating, "body": body, "author": { "nickname": nickname },
            "schedule": { "id": schedule },
        } });
        let expected = json!([
            of("guest", 5, "그래서 더 좋았어요."),
            of("member", 4, "생각해 보니 재미있었어요."),
        ]);
        for list in ["gathering", "schedule"] {
            assert_eq!(lists[list]["reviews"]["edges"], expected);
        }

        let refused = guest.graphql(DELETE, json!({ "id": review })).await;
        assert_eq!(user_error_codes(&refused), ["FORBIDDEN"]);
        let gone = member.data(DELETE, json!({ "id": review })).await;
        assert_eq!(gone["reviewDelete"]["deletedId"], review.as_str());
        rated(&member, &gathering, json!(5.0)).await;
        member.review(&schedule, 1, "역시 아니었어요.").await;
        rated(&member, &gathering, json!(3.0)).await;
    }

    async fn only_who_was_there_reviews_and_only_what_is_over(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        member.join(&gathering).await;
        let ahead = host.create_schedule(&gathering, json!({})).await;
        member.attend(&ahead).await;
        let refused = member.graphql(WRITE, json!({ "id": ahead })).await;
        assert_eq!(user_error_codes(&refused), ["WRONG_STATE"]);
        let over = held(&host, &gathering, &[&member]).await.schedule;
        let refused = host.graphql(WRITE, json!({ "id": over })).await;
        assert_eq!(user_error_codes(&refused), ["WRONG_STATE"]);
    }
}
