//! Tokens of one kind used as the other, tokens that come again, and what a log-in tells to whoever guesses.

use futures::future::join_all;
use moim_e2e::{Client, Platform, Value, expect_data, json, user_error_codes};

use crate::forged;
use crate::scene::assert_quiet;
use crate::wire::answers;

const REFRESH: &str = "mutation($token: String!) { authRefresh(input: { refreshToken: $token }) {
    tokens { accessToken refreshToken } userErrors { code message } } }";
const LOG_OUT: &str = "mutation { authLogOut(input: {}) { userErrors { code } } }";
const LOG_IN: &str = "mutation($email: String!, $password: String!) {
    authLogIn(input: { email: $email, password: $password }) {
      tokens { accessToken } viewer { id } userErrors { code message path } } }";

async fn refresh(client: &Client, token: &str) -> Value {
    client.graphql(REFRESH, json!({ "token": token })).await
}

#[tokio::test]
async fn neither_token_serves_as_the_other() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    let client = platform.client();
    answers(&person, "nothing yet").await;
    forged::refused(&client, &person.refresh_token, "a refresh token").await;
    let access = person.client.token().unwrap().to_owned();
    for token in [access.as_str(), "", "nonsense", &"a".repeat(20_000), "\0", &person.id, "한글"]
    {
        let body = refresh(&client, token).await;
        assert_eq!(user_error_codes(&body), ["SESSION_REVOKED"], "{token}");
        assert_eq!(body["data"]["authRefresh"]["tokens"], Value::Null);
        answers(&person, "a token of the other kind").await;
    }
    let fresh = refresh(&client, &person.refresh_token).await;
    assert!(expect_data(&fresh)["authRefresh"]["tokens"]["accessToken"].is_string());
    assert_quiet(&platform);
}

#[tokio::test]
async fn a_hundred_refreshes_at_once_have_one_successor() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    let client = platform.client();
    let all = join_all((0..100).map(|_| refresh(&client, &person.refresh_token))).await;
    let mut successors: Vec<_> = all
        .iter()
        .map(|body| &body["data"]["authRefresh"]["tokens"]["refreshToken"])
        .filter(|token| token.is_string())
        .map(ToString::to_string)
        .collect();
    assert!(!successors.is_empty(), "{:?}", all.first());
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    answers(&person, "a hundred refreshes").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn nothing_of_a_session_works_after_it_was_left() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    let client = platform.client();
    let successor = refresh(&client, &person.refresh_token).await;
    let tokens = expect_data(&successor)["authRefresh"]["tokens"].clone();
    answers(&person, "a refresh").await;
    person.data(LOG_OUT, json!({})).await;
    for token in [person.client.token().unwrap(), tokens["accessToken"].as_str().unwrap()] {
        forged::refused(&client, token, "a token of a session that was left").await;
    }
    for token in [person.refresh_token.as_str(), tokens["refreshToken"].as_str().unwrap()] {
        assert_eq!(user_error_codes(&refresh(&client, token).await), ["SESSION_REVOKED"]);
    }
    answers(&client, "logging out").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn whoever_guesses_accounts_learns_nothing_from_the_words() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    answers(&person, "nothing yet").await;
    for language in ["en", "ko"] {
        let client = platform.client().reading(language);
        let try_in = async |email: &str, password: &str| {
            let variables = json!({ "email": email, "password": password });
            client.send(LOG_IN, variables).await
        };
        let nobody = format!("nobody-{language}@example.com");
        let known = try_in(&person.email, "guessed wrong").await;
        assert_eq!(user_error_codes(&known.body), ["BAD_CREDENTIALS"]);
        for (email, password) in [
            (&*nobody, "guessed wrong"),
            (&*nobody, person.password.as_str()),
            (&*nobody.to_uppercase(), "guessed wrong"),
        ] {
            let unknown = try_in(email, password).await;
            assert_eq!((unknown.status, &unknown.body), (known.status, &known.body), "{email}");
            let names = |answer: &moim_e2e::Answer| {
                let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
                names.sort();
                names
            };
            assert_eq!(names(&unknown), names(&known));
        }
    }
    expect_data(&person.log_in().await.graphql("{ viewer { id } }", json!({})).await);
    assert_quiet(&platform);
}
