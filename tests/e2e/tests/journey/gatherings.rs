//! Starting a gathering, getting in, getting a role, and getting out.

use moim_e2e::{Person, Value, expect_data, json, on_both_shapes, user_error_codes};

const GATHERING: &str = "query($id: ID!) {
  node(id: $id) { ... on Gathering {
    title status memberCount capacity host { id nickname } viewerMembership { id role status }
    members(first: 20) { edges { node { id role status member { nickname } } } }
  } }
}";
const JOIN: &str = "mutation($input: GatheringJoinInput!) {
  gatheringJoin(input: $input) { membership { id role status message } userErrors { code } }
}";
const LEAVE: &str = "mutation($id: ID!) {
  gatheringLeave(input: { gatheringId: $id }) { membership { status } userErrors { code } }
}";
const DECIDE: &str = "mutation($id: ID!, $approve: Boolean!) {
  membershipDecide(input: { membershipId: $id, approve: $approve }) {
    membership { status } userErrors { code }
  }
}";
const SET_ROLE: &str = "mutation($id: ID!, $role: MembershipRole!) {
  membershipSetRole(input: { membershipId: $id, role: $role }) {
    membership { role } userErrors { code }
  }
}";
const REMOVE: &str = "mutation($id: ID!, $ban: Boolean!) {
  membershipRemove(input: { membershipId: $id, ban: $ban }) {
    membership { status } userErrors { code }
  }
}";
const UPDATE: &str = "mutation($input: GatheringUpdateInput!) {
  gatheringUpdate(input: $input) { gathering { title capacity status } userErrors { code path } }
}";

async fn look(person: &Person, gathering: &str) -> Value {
    person.data(GATHERING, json!({ "id": gathering })).await["node"].clone()
}

async fn join(person: &Person, gathering: &str, message: Option<&str>) -> Value {
    let input = json!({ "gatheringId": gathering, "message": message });
    person.graphql(JOIN, json!({ "input": input })).await
}

async fn codes(person: &Person, mutation: &str, variables: Value) -> Vec<String> {
    user_error_codes(&person.graphql(mutation, variables).await)
}

on_both_shapes! {
    async fn an_open_gathering_takes_members_until_it_is_full(platform: Platform) {
        let (host, first, second) = (
            platform.sign_up("host").await,
            platform.sign_up("first").await,
            platform.sign_up("second").await,
        );
        let gathering = host.create_gathering(json!({ "title": "책 읽는 밤", "capacity": 2 })).await;
        let new = look(&host, &gathering).await;
        assert_eq!(new["title"], "책 읽는 밤");
        assert_eq!((&new["status"], &new["memberCount"]), (&json!("OPEN"), &json!(1)));
        assert_eq!(new["host"], json!({ "id": host.id, "nickname": "host" }));
        assert_eq!(new["viewerMembership"]["role"], "HOST");

        let joined = join(&first, &gathering, None).await;
        let membership = &expect_data(&joined)["gatheringJoin"]["membership"];
        assert_eq!((&membership["role"], &membership["status"]), (&json!("MEMBER"), &json!("ACTIVE")));
        assert_eq!(look(&second, &gathering).await["status"], "FULL");
        assert_eq!(user_error_codes(&join(&second, &gathering, None).await), ["FULL"]);
        assert_eq!(user_error_codes(&join(&first, &gathering, None).await), ["ALREADY_EXISTS"]);

        let input = json!({ "gatheringId": gathering, "capacity": 3 });
        let raised = host.data(UPDATE, json!({ "input": input })).await;
        assert_eq!(raised["gatheringUpdate"]["gathering"]["status"], "OPEN");
        second.join(&gathering).await;
        let full = look(&host, &gathering).await;
        let names: Vec<_> = full["members"]["edges"].as_array().unwrap().iter()
            .map(|edge| edge["node"]["member"]["nickname"].as_str().unwrap()).collect();
        assert_eq!(full["memberCount"], 3);
        assert_eq!(names.len(), 3);
        assert!(["host", "first", "second"].iter().all(|name| names.contains(name)), "{names:?}");
    }

    async fn whoever_asks_to_join_is_let_in_or_turned_down(platform: Platform) {
        let host = platform.sign_up("host").await;
        let (wanted, unwanted, hasty) = (
            platform.sign_up("wanted").await,
            platform.sign_up("unwanted").await,
            platform.sign_up("hasty").await,
        );
        let gathering = host.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
        let mut requests = Vec::new();
        for person in [&wanted, &unwanted, &hasty] {
            let body = join(person, &gathering, Some("안녕하세요")).await;
            let membership = &expect_data(&body)["gatheringJoin"]["membership"];
            assert_eq!(membership["status"], "PENDING");
            requests.push(membership["id"].clone());
        }
        let pending = "query($id: ID!) { node(id: $id) { ... on Gathering { memberCount
          members(status: PENDING, first: 10) { edges { node { message member { nickname } } } }
        } } }";
        let seen = host.data(pending, json!({ "id": gathering })).await;
        assert_eq!(seen["node"]["memberCount"], 1);
        assert_eq!(seen["node"]["members"]["edges"].as_array().unwrap().len(), 3);
        assert_eq!(seen["node"]["members"]["edges"][0]["node"]["message"], "안녕하세요");

        let own = json!({ "id": requests[0], "approve": true });
        assert_ne!(codes(&wanted, DECIDE, own.clone()).await, Vec::<String>::new());
        let decided = host.data(DECIDE, own.clone()).await;
        assert_eq!(decided["membershipDecide"]["membership"]["status"], "ACTIVE");
        let no = json!({ "id": requests[1], "approve": false });
        let decided = host.data(DECIDE, no).await;
        assert_eq!(decided["membershipDecide"]["membership"]["status"], "REJECTED");
        let taken_back = hasty.data(LEAVE, json!({ "id": gathering })).await;
        assert_eq!(taken_back["gatheringLeave"]["membership"]["status"], "LEFT");

        let late = json!({ "id": requests[2], "approve": true });
        assert_eq!(codes(&host, DECIDE, late).await, ["WRONG_STATE"]);
        assert_eq!(codes(&host, DECIDE, own).await, ["WRONG_STATE"]);
        assert_eq!(look(&host, &gathering).await["memberCount"], 2);
    }

    async fn a_gathering_is_shared_and_handed_over(platform: Platform) {
        let host = platform.sign_up("host").await;
        let (manager, member) = (platform.sign_up("manager").await, platform.sign_up("member").await);
        let gathering = host.create_gathering(json!({})).await;
        let managers = manager.join(&gathering).await;
        let members = member.join(&gathering).await;
        let rename = json!({ "input": { "gatheringId": gathering, "title": "저녁 산책" } });
        assert_eq!(codes(&manager, UPDATE, rename.clone()).await, ["FORBIDDEN"]);

        host.data(SET_ROLE, json!({ "id": managers, "role": "MANAGER" })).await;
        manager.data(UPDATE, rename).await;
        let promote = json!({ "id": members, "role": "MANAGER" });
        assert_eq!(codes(&manager, SET_ROLE, promote).await, ["FORBIDDEN"]);

        assert_eq!(codes(&host, LEAVE, json!({ "id": gathering })).await, ["WRONG_STATE"]);
        let handed = host.data(SET_ROLE, json!({ "id": managers, "role": "HOST" })).await;
        assert_eq!(handed["membershipSetRole"]["membership"]["role"], "HOST");
        let after = look(&host, &gathering).await;
        assert_eq!(after["host"]["nickname"], "manager");
        assert_eq!(after["viewerMembership"]["role"], "MANAGER");
        let left = host.data(LEAVE, json!({ "id": gathering })).await;
        assert_eq!(left["gatheringLeave"]["membership"]["status"], "LEFT");
        assert_eq!(look(&manager, &gathering).await["memberCount"], 2);
    }

    async fn who_was_removed_may_come_back_and_who_was_banned_may_not(platform: Platform) {
        let host = platform.sign_up("host").await;
        let (loud, louder) = (platform.sign_up("loud").await, platform.sign_up("louder").await);
        let gathering = host.create_gathering(json!({})).await;
        let (louds, louders) = (loud.join(&gathering).await, louder.join(&gathering).await);
        let by_member = json!({ "id": louders, "ban": false });
        assert_eq!(codes(&loud, REMOVE, by_member).await, ["FORBIDDEN"]);

        let removed = host.data(REMOVE, json!({ "id": louds, "ban": false })).await;
        assert_eq!(removed["membershipRemove"]["membership"]["status"], "REMOVED");
        let banned = host.data(REMOVE, json!({ "id": louders, "ban": true })).await;
        assert_eq!(banned["membershipRemove"]["membership"]["status"], "BANNED");

        assert_eq!(loud.join(&gathering).await, louds);
        assert_eq!(user_error_codes(&join(&louder, &gathering, None).await), ["BANNED"]);
        assert_eq!(look(&host, &gathering).await["memberCount"], 2);
    }

    async fn a_new_nickname_and_face_reach_every_room(platform: Platform) {
        let host = platform.sign_up("before").await;
        let gathering = host.create_gathering(json!({})).await;
        let update = "mutation($input: MemberUpdateInput!) {
          memberUpdate(input: $input) { member { nickname bio avatarUrl } userErrors { code } }
        }";
        let avatar = "https://example.com/face.png";
        let input = json!({ "nickname": "after", "bio": "걷습니다", "avatarUrl": avatar });
        host.data(update, json!({ "input": input })).await;

        let stranger = platform.client();
        let ask = "query($id: ID!) {
          node(id: $id) { ... on Gathering { host { nickname avatarUrl bio } } }
        }";
        let expected = json!({ "nickname": "after", "avatarUrl": avatar, "bio": "걷습니다" });
        moim_e2e::eventually(async || {
            let data = stranger.data(ask, json!({ "id": gathering })).await;
            let host = data["node"]["host"].clone();
            if host == expected { Ok(()) } else { Err(host) }
        }).await;
        assert_eq!(look(&host, &gathering).await["host"]["nickname"], "after");
    }
}
