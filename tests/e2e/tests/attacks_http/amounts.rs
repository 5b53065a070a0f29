//! Inputs that claim more than their sender may say: whose, how much, what role. No input has a place for it.

use moim_e2e::{Platform, Value, error_codes, in_hours, json, user_error_codes};

use crate::scene::assert_quiet;
use crate::wire::answers;

#[tokio::test]
async fn what_the_house_decides_cannot_be_said_by_a_client() {
    let platform = Platform::one_process().await;
    let (person, other) = (platform.sign_up("somebody").await, platform.sign_up("other").await);
    let gathering = person.create_gathering(json!({})).await;
    let schedule = person.create_schedule(&gathering, json!({ "fee": 12_000 })).await;
    let region = person.region().await;
    answers(&person, "nothing yet").await;
    let whose = json!([
        ["role", "HOST"], ["roles", ["ADMIN"]], ["isAdmin", true], ["id", other.id], ["memberId", other.id],
        ["viewerId", other.viewer_id], ["ownerId", other.id], ["hostId", other.id], ["authorId", other.id],
        ["userId", other.id], ["status", "ACTIVE"], ["state", "GOING"], ["balance", 1_000_000], ["held", 0],
        ["price", 1], ["discount", 12_000], ["currency", "USD"], ["memberCount", 9], ["goingCount", 0],
        ["verified", true], ["createdAt", in_hours(-1)], ["__proto__", { "role": "HOST" }],
        ["constructor", { "prototype": {} }], ["input", {}],
    ]);
    let title = json!({
        "title": "모임", "description": "모임", "category": "ARTS", "regionId": region, "capacity": 2,
    });
    let email =
        json!({ "email": "x@example.com", "password": "long enough", "nickname": "someone" });
    for (mutation, input) in [
        ("memberUpdate", json!({ "bio": "x" })),
        ("gatheringCreate", title),
        ("gatheringJoin", json!({ "gatheringId": gathering })),
        ("scheduleAttend", json!({ "scheduleId": schedule })),
        ("scheduleWithdraw", json!({ "scheduleId": schedule })),
        ("walletTopUp", json!({ "amount": 1_000 })),
        ("authSignUp", email),
        ("authLogIn", json!({ "email": person.email, "password": person.password })),
        ("chatMessageSend", json!({ "gatheringId": gathering, "body": "x", "clientId": "x" })),
    ] {
        let before = seen(&person, &schedule).await;
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) @idempotent(key: \"x\") {{
               userErrors {{ code }} }} }}"
        );
        for pair in whose.as_array().unwrap() {
            let (name, value) = (pair[0].as_str().unwrap(), &pair[1]);
            let mut input = input.clone();
            input[name] = value.clone();
            let body = person.graphql(&query, json!({ "input": input })).await;
            let codes = error_codes(&body);
            let refused = ["VALIDATION_FAILED", "INVALID"]
                .contains(&codes.first().map_or("", String::as_str));
            assert!(refused, "{mutation} with {name}: {body}");
        }
        let literal = format!(
            "mutation {{ {mutation}(input: {{ role: HOST }}) {{ userErrors {{ code }} }} }}"
        );
        let codes = error_codes(&person.graphql(&literal, json!({})).await);
        assert!(codes.iter().all(|code| code == "VALIDATION_FAILED"), "{mutation}: {codes:?}");
        assert_eq!(seen(&person, &schedule).await, before, "{mutation} did something");
        answers(&person, mutation).await;
    }
    assert_quiet(&platform);
}

/// All that the inputs above could have changed.
async fn seen(person: &moim_e2e::Person, schedule: &str) -> Value {
    let query = "query($id: ID!) {
      viewer { id member { nickname bio } wallet { balance held }
        memberships(first: 9) { edges { node { role status } } } }
      node(id: $id) { ... on Schedule { fee goingCount heldCount waitlistCount gathering { memberCount } } } }";
    person.data(query, json!({ "id": schedule })).await
}

#[tokio::test]
async fn money_is_neither_negative_nor_without_end() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    person.top_up(10_000).await;
    let top_up = "mutation($amount: Int!, $key: String!) {
      walletTopUp(input: { amount: $amount }) @idempotent(key: $key) { userErrors { code } } }";
    let wallet = async || person.data("{ viewer { wallet { balance held } } }", json!({})).await;
    let before = wallet().await;
    for (number, amount) in
        ["-1", "0", "-2147483648", "2147483647", "-0", "2147483648", "1e9", "1.5", "-1e300"]
            .into_iter()
            .enumerate()
    {
        let body = format!(
            r#"{{"query":{},"variables":{{"amount":{amount},"key":"amount-{number}"}}}}"#,
            json!(top_up)
        );
        let answer = person.post(&[], body).await;
        assert_ne!(answer.status, 500, "{amount}");
        let refused = match answer.body.get("errors") {
            Some(_) => error_codes(&answer.body),
            None => user_error_codes(&answer.body),
        };
        let known = ["INVALID", "VALIDATION_FAILED", "WRONG_STATE"];
        assert!(refused.len() == 1 && known.contains(&&*refused[0]), "{amount}: {}", answer.body);
        assert_eq!(wallet().await, before, "{amount}");
        answers(&person, amount).await;
    }
    assert_quiet(&platform);
}
