//! Idempotency keys that cannot be kept, and one that was used for something else.

use moim_e2e::{error_codes, expect_data, json};

use crate::inputs::good;
use crate::scene::Scene;
use crate::trial::{Refusal, Trial, operation};

/// Sends every kind of bad key with a mutation that would otherwise be done.
pub async fn try_all(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    let (role, input) = good(scene, "gatheringCreate");
    let client = scene.cast.client(role);
    let long = ["k".repeat(129), "k".repeat(20_000), "k".repeat(100_000), "한".repeat(5_000)];
    let odd = ["", "\0", "a\nb", "a\u{7f}", "한글 열쇠", "🔑"].map(str::to_owned);
    for key in long.into_iter().chain(odd) {
        let by = Refusal::User("INVALID", None);
        trial.keyed(client, "gatheringCreate", input.clone(), json!(key), by).await;
    }
    for key in [json!(null), json!(5), json!(["a"]), json!({})] {
        let by = Refusal::Top(&["VALIDATION_FAILED", "INVALID"]);
        trial.keyed(client, "gatheringCreate", input.clone(), key, by).await;
    }
    trial.end(14).await;
    needed_to_attend(scene).await;
    needed_to_top_up(scene).await;
    used_before(scene).await;
}

async fn needed_to_attend(scene: &Scene) {
    let trial = Trial::begin(scene).await;
    let query = r#"mutation { it: scheduleAttend(input: { scheduleId: "<free>" }) {
        userErrors { code path } } }"#;
    let body = scene.cast.member.graphql(&scene.fill(query), json!({})).await;
    let errors = &body["data"]["it"]["userErrors"];
    assert_eq!(*errors, json!([{ "code": "INVALID", "path": null }]), "{body}");
    let mut trial = trial;
    trial.sent("scheduleAttend without a key".to_owned()).await;
    trial.end(1).await;
}

async fn needed_to_top_up(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    let host = &scene.cast.host;
    let query =
        "mutation { it: walletTopUp(input: { amount: 10000 }) { userErrors { code path } } }";
    let body = host.graphql(query, json!({})).await;
    let errors = &body["data"]["it"]["userErrors"];
    assert_eq!(*errors, json!([{ "code": "INVALID", "path": null }]), "{body}");
    trial.sent("walletTopUp without a key".to_owned()).await;
    trial.end(1).await;

    let variables = json!({ "input": { "amount": 10_000 }, "key": "money" });
    expect_data(&host.graphql(&operation("walletTopUp"), variables.clone()).await);
    let mut trial = Trial::begin(scene).await;
    expect_data(&host.graphql(&operation("walletTopUp"), variables).await);
    trial.sent("the same key and amount".to_owned()).await;
    let by = Refusal::User("IDEMPOTENCY_KEY_REUSED", None);
    trial.keyed(host, "walletTopUp", json!({ "amount": 20_000 }), json!("money"), by).await;
    trial.end(2).await;
}

async fn used_before(scene: &Scene) {
    let (role, mut input) = good(scene, "gatheringCreate");
    let client = scene.cast.client(role);
    let key = json!("used-before");
    let variables = json!({ "input": input, "key": key });
    expect_data(&client.graphql(&operation("gatheringCreate"), variables.clone()).await);
    let mut trial = Trial::begin(scene).await;
    // The same again is answered from memory and writes nothing.
    let again = client.graphql(&operation("gatheringCreate"), variables).await;
    assert!(error_codes(&again).is_empty(), "{again}");
    trial.sent("the same key and input".to_owned()).await;
    input["title"] = json!("다른 모임");
    let by = Refusal::User("IDEMPOTENCY_KEY_REUSED", None);
    trial.keyed(client, "gatheringCreate", input, key, by).await;
    trial.end(2).await;
}
