//! Guessing passwords: by alias, by batch, by operation, from one address; every try is counted, or none is made.

use moim_e2e::{Client, Platform, Socket, Value, error_codes, json, user_error_codes};

use crate::documents::log_in;
use crate::ways::Both;

async fn try_in(client: &Client, email: &str, password: &str) -> Value {
    let document = format!("mutation {{ {} }}", log_in("it", email, password));
    client.graphql(&document, json!({})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_guesses_in_one_operation_are_no_guess_at_all() {
    let platform = Platform::one_process().await;
    let victim = platform.sign_up("victim").await;
    let guess = |at: usize| log_in(&format!("g{at}"), &victim.email, &format!("guess number {at}"));
    let (one, two) = (guess(1), guess(2));
    let refresh = "r: authRefresh(input: { refreshToken: \"x\" }) { userErrors { code } }";
    let sign_up = "s: authSignUp(input: { email: \"a@example.com\", password: \"long enough\", nickname: \"a\" }) \
                   { userErrors { code } }";
    let many: String = (0..30).map(guess).collect();
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    for document in [
        format!("mutation {{ {one} {two} }}"),
        format!("mutation {{ {many} }}"),
        format!(
            "mutation {{ ...F ...G }} fragment F on Mutation {{ {one} }} fragment G on Mutation {{ {two} }}"
        ),
        format!("mutation {{ {one} ... {{ ... on Mutation {{ {two} }} }} }}"),
        format!("mutation {{ {one} {refresh} }}"),
        format!("mutation {{ {sign_up} {one} }}"),
        format!("mutation A {{ {one} {two} }}"),
    ] {
        for (way, told) in both.ask(&document, json!({})).await {
            assert!(told.is_refusal("TOO_COMPLEX"), "{document} over {way}: {told:?}");
        }
        both.answers("guesses").await;
    }
    // A batch: nothing of it is read, over HTTP or over a socket.
    let single = json!({ "query": format!("mutation {{ {one} }}") });
    let batch = Value::Array(vec![single; 20]);
    let answer = platform.client().post(&[], batch.to_string()).await;
    assert_eq!((answer.status, error_codes(&answer.body)), (400, vec!["BATCH_REFUSED".to_owned()]));
    both.answers("a batch").await;
    // More than five wrong guesses would have closed the account for a while.
    let body = try_in(&platform.client(), &victim.email, &victim.password).await;
    assert!(user_error_codes(&body).is_empty(), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_closed_after_five_failures_however_they_come() {
    let platform = Platform::one_process().await;
    let (victim, other) = (platform.sign_up("victim").await, platform.sign_up("other").await);
    let mut both = Both::of(&platform.client());
    for at in 0..5 {
        let document = format!(
            "mutation {{ {} }}",
            log_in("it", &victim.email, &format!("guess number {at}"))
        );
        let told = if at % 2 == 0 {
            both.over_socket(&document, json!({})).await
        } else {
            both.over_http(&document, json!({})).await
        };
        assert_eq!(told.data["it"]["userErrors"][0]["code"], "BAD_CREDENTIALS", "{told:?}");
    }
    let right = format!("mutation {{ {} }}", log_in("it", &victim.email, &victim.password));
    for (way, told) in both.ask(&right, json!({})).await {
        assert_eq!(told.codes, ["RATE_LIMITED"], "over {way}");
    }
    let body = try_in(&platform.client(), &other.email, &other.password).await;
    assert!(user_error_codes(&body).is_empty(), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_so_many_tries_a_minute_over_http_and_sockets_together() {
    let knobs = [("MOIM_BFF__ATTEMPTS_PER_MINUTE", "4"), ("MOIM_BFF__PROXIES", "1")];
    let platform = Platform::one_process_with(&knobs).await;
    // The first two tries.
    let (one, other) = (platform.sign_up("one").await, platform.sign_up("other").await);
    let mut both = Both::of(&platform.client());
    // One comes back after fifteen seconds.
    let wrong = |at: usize| {
        format!("mutation {{ {} }}", log_in("it", &format!("nobody{at}@example.com"), "a guess"))
    };
    for at in 0..2 {
        let told = if at % 2 == 0 {
            both.over_socket(&wrong(at), json!({})).await
        } else {
            both.over_http(&wrong(at), json!({})).await
        };
        assert_eq!(told.data["it"]["userErrors"][0]["code"], "BAD_CREDENTIALS", "{told:?}");
    }
    let right = format!("mutation {{ {} }}", log_in("it", &one.email, &one.password));
    for (way, told) in both.ask(&right, json!({})).await {
        assert!(told.is_refusal("RATE_LIMITED"), "over {way}: {told:?}");
        let ms = told.errors[0]["extensions"]["retryAfterMs"].as_u64().unwrap();
        assert!((1..=15_001).contains(&ms), "over {way}: {told:?}");
    }
    let refused = platform.client().send(&right, json!({})).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    let korean = platform.client().reading("ko").send(&right, json!({})).await;
    let message = korean.body["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("다시 시도해 주세요"), "{message}");

    // Whoever is in goes on, a token does not help to try, and another address may.
    both.answers("tries").await;
    one.data("{ viewer { id } }", json!({})).await;
    let refresh = "mutation($token: String!) { authRefresh(input: { refreshToken: $token }) {
        tokens { accessToken } userErrors { code } } }";
    platform.client().data(refresh, json!({ "token": other.refresh_token })).await;
    assert_eq!(other.send(&right, json!({})).await.status, 429);
    let elsewhere = [("x-forwarded-for", "127.0.0.1, 192.0.2.7")];
    platform.client().send_with(&right, json!({}), &elsewhere).await.data();
    let forged = [("x-forwarded-for", "192.0.2.9, 127.0.0.1")];
    assert_eq!(platform.client().send_with(&right, json!({}), &forged).await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_guesses_ends_the_socket_unread() {
    let platform = Platform::one_process().await;
    let victim = platform.sign_up("victim").await;
    let mut socket = Socket::of(&platform.client()).await.unwrap();
    let guess = format!("mutation {{ {} }}", log_in("it", &victim.email, "a guess of length"));
    let batch = Value::Array(vec![json!({ "query": guess }); 20]);
    socket.say(&json!({ "id": "1", "type": "subscribe", "payload": batch })).await.unwrap();
    assert_eq!(socket.close_code().await, 4400);
    let body = try_in(&platform.client(), &victim.email, &victim.password).await;
    assert!(user_error_codes(&body).is_empty(), "{body}");
}
