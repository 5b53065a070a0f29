//! Talking in a gathering: saying it once, paging back, taking it away, and nobody else listening.

use moim_e2e::{Person, Value, json, on_both_shapes, user_error_codes};
use uuid::Uuid;

const SEND: &str = "mutation($input: ChatMessageSendInput!) {
  chatMessageSend(input: $input) {
    edge { cursor node { id body clientId author { nickname } } } userErrors { code path }
  }
}";
const DELETE: &str = "mutation($id: ID!) {
  chatMessageDelete(input: { messageId: $id }) { message { id body } userErrors { code } }
}";
const LEAVE: &str = "mutation($id: ID!) {
  gatheringLeave(input: { gatheringId: $id }) { userErrors { code } }
}";
const PAGE: &str = "query($id: ID!, $last: Int, $before: String) {
  node(id: $id) { ... on Gathering { messages(last: $last, before: $before) {
    edges { cursor node { id body clientId } }
    pageInfo { hasPreviousPage startCursor }
  } } }
}";

/// A page from the end, or what precedes a cursor.
async fn page(reader: &Person, gathering: &str, before: Value) -> Value {
    let data = reader.data(PAGE, json!({ "id": gathering, "last": 3, "before": before })).await;
    data["node"]["messages"].clone()
}

fn bodies(page: &Value) -> Vec<&str> {
    let edges = page["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["body"].as_str().unwrap_or("(gone)")).collect()
}

on_both_shapes! {
    async fn a_message_sent_twice_under_one_client_id_is_said_once(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let client_id = Uuid::now_v7().to_string();
        let input = json!({ "gatheringId": gathering, "body": "안녕하세요", "clientId": client_id });
        let first = host.data(SEND, json!({ "input": input })).await;
        let node = &first["chatMessageSend"]["edge"]["node"];
        assert_eq!(node["clientId"], client_id.as_str());
        assert_eq!(node["author"]["nickname"], "host");
        assert_eq!(host.data(SEND, json!({ "input": input })).await, first);
        let other = json!({ "gatheringId": gathering, "body": "다른 말", "clientId": client_id });
        let refused = host.graphql(SEND, json!({ "input": other })).await;
        assert_eq!(user_error_codes(&refused), ["IDEMPOTENCY_KEY_REUSED"]);
        assert_eq!(bodies(&page(&host, &gathering, Value::Null).await), ["안녕하세요"]);
    }

    async fn members_page_back_to_the_first_message_and_see_no_sender_s_own_ids(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        member.join(&gathering).await;
        for number in 1..=7 {
            host.say(&gathering, &format!("{number}")).await;
        }
        // The reader comes later than what was said, and has not seen it anywhere.
        let latest = page(&member, &gathering, Value::Null).await;
        assert_eq!(bodies(&latest), ["5", "6", "7"]);
        assert!(latest["edges"].as_array().unwrap().iter().all(|it| it["node"]["clientId"].is_null()));
        let earlier = page(&member, &gathering, latest["pageInfo"]["startCursor"].clone()).await;
        assert_eq!(bodies(&earlier), ["2", "3", "4"]);
        assert_eq!(earlier["pageInfo"]["hasPreviousPage"], true);
        let first = page(&member, &gathering, earlier["pageInfo"]["startCursor"].clone()).await;
        assert_eq!(bodies(&first), ["1"]);
        assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    }

    async fn what_is_taken_away_keeps_its_place_and_loses_its_words(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        member.join(&gathering).await;
        let mine = member.say(&gathering, "내 말").await;
        let theirs = host.say(&gathering, "모임장의 말").await;
        let refused = member.graphql(DELETE, json!({ "id": theirs["node"]["id"] })).await;
        assert_eq!(user_error_codes(&refused), ["FORBIDDEN"]);
        let id = &mine["node"]["id"];
        let gone = member.data(DELETE, json!({ "id": id })).await;
        assert_eq!(gone["chatMessageDelete"]["message"], json!({ "id": id, "body": null }));
        assert_eq!(bodies(&page(&host, &gathering, Value::Null).await), ["(gone)", "모임장의 말"]);
    }

    async fn whoever_leaves_may_no_longer_speak_or_listen(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let member = platform.sign_up("member").await;
        member.join(&gathering).await;
        let said = member.say(&gathering, "잘 있어요").await;
        member.data(LEAVE, json!({ "id": gathering })).await;
        let input = json!({ "gatheringId": gathering, "body": "아직 있어요?", "clientId": "late" });
        let refused = member.graphql(SEND, json!({ "input": input })).await;
        assert_eq!(user_error_codes(&refused), ["NOT_A_MEMBER"]);
        assert!(page(&member, &gathering, Value::Null).await.is_null());
        let node = "query($id: ID!) { node(id: $id) { id } }";
        let data = member.data(node, json!({ "id": said["node"]["id"] })).await;
        assert!(data["node"].is_null(), "{data}");
        assert_eq!(bodies(&page(&host, &gathering, Value::Null).await), ["잘 있어요"]);
    }
}
