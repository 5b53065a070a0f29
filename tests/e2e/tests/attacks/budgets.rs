//! What somebody may ask for over time: told with each answer, charged to whoever asks, refused when it is spent.

use moim_e2e::{Client, Platform, Value, json};

use crate::ways::{Both, Told};

/// Costs 1 point.
const CHEAP: &str = "{ __typename }";
/// Costs 41 points: a field and twenty rows of two.
const DEAR: &str = "{ gatherings(first: 20) { edges { cursor node { title } } } }";
const RATE_LIMIT: &str = "{ rateLimit { cost limit remaining resetAt } }";

fn cost(told: &Told, name: &str) -> u64 {
    told.extensions["cost"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {told:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_its_cost_and_what_is_left() {
    let knobs = [
        ("MOIM_BFF__MEMBER_POINTS", "5000"),
        ("MOIM_BFF__MEMBER_POINTS_PER_SECOND", "1"),
        ("MOIM_BFF__STRANGER_POINTS", "1000"),
        ("MOIM_BFF__STRANGER_POINTS_PER_SECOND", "1"),
    ];
    let platform = Platform::one_process_with(&knobs).await;
    let person = platform.sign_up("somebody").await;
    for (client, limit) in [(&platform.client(), 1_000), (&person.client, 5_000)] {
        let mut both = Both::of(client);
        for document in [DEAR, CHEAP, "{ viewer { id } nothing }"] {
            for (way, told) in both.ask(document, json!({})).await {
                if told.data.is_null() && way == "a socket" {
                    // There is no room for extensions in an error of the protocol.
                    continue;
                }
                let requested = if document == DEAR { 41 } else { cost(&told, "requested") };
                assert_eq!(cost(&told, "requested"), requested, "{document} over {way}");
                assert_eq!(cost(&told, "limit"), limit, "{document} over {way}");
                let left = cost(&told, "left");
                assert!(left < limit, "{document} over {way}: {told:?}");
                assert!(cost(&told, "resetMs") > (limit - left - 1) * 1_000, "{told:?}");
            }
        }
        for (way, told) in both.ask(RATE_LIMIT, json!({})).await {
            let rate = &told.data["rateLimit"];
            assert_eq!(rate["cost"], cost(&told, "requested"), "over {way}: {told:?}");
            assert_eq!(rate["limit"], cost(&told, "limit"), "over {way}: {told:?}");
            assert_eq!(rate["remaining"], cost(&told, "left"), "over {way}: {told:?}");
            assert!(rate["resetAt"].as_str().unwrap().starts_with("20"), "over {way}: {told:?}");
        }
    }
    // A mutation tells it, too.
    let body = person
        .graphql("mutation { authLogOut(input: {}) { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(body["extensions"]["cost"]["limit"], 5_000, "{body}");
}

/// Asks until it is refused; how often it was answered.
async fn spend(client: &Client, headers: &[(&str, &str)]) -> usize {
    for answered in 0..100 {
        if client.send_with(DEAR, json!({}), headers).await.status == 429 {
            return answered;
        }
    }
    panic!("never refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_spent_everything_waits_and_nobody_else() {
    let knobs = [
        ("MOIM_BFF__PROXIES", "1"),
        ("MOIM_BFF__STRANGER_POINTS", "100"),
        ("MOIM_BFF__STRANGER_POINTS_PER_SECOND", "1"),
        ("MOIM_BFF__MEMBER_POINTS", "300"),
        ("MOIM_BFF__MEMBER_POINTS_PER_SECOND", "1"),
    ];
    let platform = Platform::one_process_with(&knobs).await;
    let (person, other) = (platform.sign_up("person").await, platform.sign_up("other").await);
    let client = platform.client();
    spend(&client, &[]).await;
    let refused = client.send(DEAR, json!({})).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let error = &refused.body["errors"][0]["extensions"];
    assert_eq!((&error["code"], &error["retryable"]), (&json!("RATE_LIMITED"), &json!(true)));
    let ms = error["retryAfterMs"].as_u64().unwrap();
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=41_001).contains(&ms) && seconds == ms.div_ceil(1_000), "{seconds} s, {ms} ms");
    assert_eq!((&error["cost"]["requested"], &error["cost"]["limit"]), (&json!(41), &json!(100)));
    assert!(refused.body.get("data").is_none(), "{}", refused.body);
    // The same bucket over a socket, where nothing but an error can tell.
    let mut both = Both::of(&client);
    let told = both.over_socket(DEAR, json!({})).await;
    assert!(told.is_refusal("RATE_LIMITED"), "{told:?}");
    assert!(told.errors[0]["extensions"]["retryAfterMs"].is_u64(), "{told:?}");

    // Members of that address have points of their own, each theirs.
    assert!(spend(&person.client, &[]).await >= 6);
    let told = Both::of(&person).over_socket(DEAR, json!({})).await;
    assert!(told.is_refusal("RATE_LIMITED"), "{told:?}");
    other.data(DEAR, json!({})).await;
    // Strangers of another address have theirs; of IPv6 a whole network counts as one.
    let from = |address| [("x-forwarded-for", address)];
    client.send_with(DEAR, json!({}), &from("192.0.2.1")).await.data();
    assert_eq!(client.send_with(DEAR, json!({}), &from("192.0.2.1, 127.0.0.1")).await.status, 429);
    assert_eq!(spend(&client, &from("2001:db8::1")).await, 2);
    assert_eq!(client.send_with(DEAR, json!({}), &from("2001:db8::2:3")).await.status, 429);
    client.send_with(DEAR, json!({}), &from("2001:db8:0:1::1")).await.data();
    // What is refused by the guard costs nothing.
    let huge = "{ gatherings(first: 100000) { edges { cursor } } }";
    for _ in 0..20 {
        assert_eq!(
            other.graphql(huge, json!({})).await["errors"][0]["extensions"]["code"],
            "TOO_COMPLEX"
        );
    }
    other.data(DEAR, json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_could_ever_pay_is_too_complex_and_not_to_be_tried_again() {
    let knobs =
        [("MOIM_BFF__STRANGER_POINTS", "40"), ("MOIM_BFF__STRANGER_POINTS_PER_SECOND", "1")];
    let platform = Platform::one_process_with(&knobs).await;
    let mut both = Both::of(&platform.client());
    for (way, told) in both.ask(DEAR, json!({})).await {
        assert!(told.is_refusal("TOO_COMPLEX"), "over {way}: {told:?}");
        assert!(told.errors[0]["extensions"].get("retryAfterMs").is_none(), "over {way}: {told:?}");
    }
    both.answers("an operation that costs too much").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_budgets_nothing_is_told() {
    let knobs = [("MOIM_BFF__STRANGER_POINTS", "0"), ("MOIM_BFF__ATTEMPTS_PER_MINUTE", "0")];
    let platform = Platform::one_process_with(&knobs).await;
    let body = platform.client().graphql(RATE_LIMIT, json!({})).await;
    assert_eq!(body["data"], json!({ "rateLimit": null }), "{body}");
    assert_eq!(body.get("extensions"), None::<&Value>, "{body}");
}
