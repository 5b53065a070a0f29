//! Tokens that are no good, and credentials tried too often.

use std::fs;

use moim_e2e::{
    Answer, Client, Person, Platform, error_codes, expect_data, json, user_error_codes,
};
use moim_kit::Clock;
use moim_kit::id::{MemberId, SessionId};
use moim_kit::token::{AUDIENCE, Claims, ISSUER, TYPE};
use moim_testbed::Signer;

use crate::scene::assert_quiet;
use crate::wire::answers;

/// The seed that the test's own signer signs with, in base64.
const SEED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

async fn refused(client: &Client, token: &str) {
    let header = [("authorization", token)];
    let answer = client.send_with("{ regions { id } }", json!({}), &header).await;
    assert_refused(&answer, token);
    answers(client, token).await;
}

fn assert_refused(answer: &Answer, token: &str) {
    assert_eq!(answer.status, 401, "{token:?}: {}", answer.body);
    assert_eq!(error_codes(&answer.body), ["UNAUTHENTICATED"], "{token:?}");
    assert!(answer.body.get("data").is_none(), "{token:?}: {}", answer.body);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{token:?}");
}

#[tokio::test]
async fn tokens_of_nonsense_are_refused_even_for_what_everybody_may_see() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    let token = person.client.token().unwrap();
    let client = platform.client();
    let [head, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token} has not three parts")
    };
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoieCJ9";
    for bad in [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Bearer ..",
        "Basic c29tZWJvZHk6c2VjcmV0",
        token,
        &format!("Token {token}"),
        &format!("Bearer {token}x"),
        &format!("Bearer {token}.{signature}"),
        &format!("Bearer {head}.{claims}."),
        &format!("Bearer {head}.{claims}.{}", "A".repeat(signature.len())),
        &format!("Bearer {head}.{}.{signature}", "A".repeat(claims.len())),
        &format!("Bearer {unsigned}.{claims}."),
        &format!("Bearer {}", "a".repeat(20_000)),
        &format!("Bearer {}", person.refresh_token),
        &format!("Bearer {}", person.id),
    ] {
        refused(&client, bad).await;
    }
    let good = person.send("{ viewer { id } }", json!({})).await;
    assert_eq!(good.data()["viewer"]["id"], person.viewer_id.as_str());
    assert_quiet(&platform);
}

#[tokio::test]
async fn tokens_of_another_house_or_of_an_ended_session_are_refused() {
    let platform = Platform::one_process().await;
    let elsewhere = Platform::one_process().await;
    let client = platform.client();
    let stranger = elsewhere.sign_up("stranger").await;
    refused(&client, &format!("Bearer {}", stranger.client.token().unwrap())).await;

    let person = platform.sign_up("somebody").await;
    let other_device = person.log_in().await;
    log_out(&person, false).await;
    refused(&client, &format!("Bearer {}", person.client.token().unwrap())).await;
    let spent = refresh(&client, &person.refresh_token).await;
    assert_eq!(spent, ["SESSION_REVOKED"]);
    expect_data(&other_device.graphql("{ viewer { id } }", json!({})).await);
    log_out(&other_device, true).await;
    refused(&client, &format!("Bearer {}", other_device.client.token().unwrap())).await;
    assert_quiet(&platform);
}

async fn log_out(person: &Person, everywhere: bool) {
    let query = "mutation($everywhere: Boolean!) {
        authLogOut(input: { everywhere: $everywhere }) { userErrors { code } } }";
    person.data(query, json!({ "everywhere": everywhere })).await;
}

async fn refresh(client: &Client, token: &str) -> Vec<String> {
    let query = "mutation($token: String!) {
        authRefresh(input: { refreshToken: $token }) { userErrors { code } } }";
    user_error_codes(&client.graphql(query, json!({ "token": token })).await)
}

#[tokio::test]
async fn tokens_signed_by_the_house_must_also_be_in_time_and_meant_for_it() {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("key");
    fs::write(&file, SEED).unwrap();
    let file = file.to_str().unwrap();
    let platform = Platform::one_process_with(&[("MOIM_MEMBER__SIGNING_KEY_FILE", file)]).await;
    let client = platform.client();
    let now = Clock::system().now().seconds();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: MemberId::fresh().to_string(),
        sid: SessionId::fresh().to_string(),
        iat: now,
        nbf: now,
        exp: now + 300,
    };
    let key = key_of(&platform.sign_up("somebody").await);
    let good = client.with_token(sign(&key, TYPE, &claims));
    answers(&good, "a token that is good").await;
    for bad in [
        Claims { exp: now - 60, iat: now - 360, nbf: now - 360, ..claims.clone() },
        Claims { exp: 0, ..claims.clone() },
        Claims { exp: i64::MIN, ..claims.clone() },
        Claims { nbf: now + 3_600, exp: now + 7_200, ..claims.clone() },
        Claims { nbf: i64::MAX, ..claims.clone() },
        Claims { iss: "somebody".into(), ..claims.clone() },
        Claims { aud: "something".into(), ..claims.clone() },
        Claims { sub: "nobody".into(), ..claims.clone() },
        Claims { sub: String::new(), ..claims.clone() },
        Claims { sid: "no session".into(), ..claims.clone() },
    ] {
        refused(&client, &format!("Bearer {}", sign(&key, TYPE, &bad))).await;
    }
    refused(&client, &format!("Bearer {}", sign(&key, "JWT", &claims))).await;
    refused(&client, &format!("Bearer {}", sign("another", TYPE, &claims))).await;
    assert_quiet(&platform);
}

/// Signs as the house does; the type of a header is known to what signs it only.
fn sign(key: &str, kind: &str, claims: &Claims) -> String {
    fn header<H: Default>(_: impl Fn(&Signer, &H, &Claims) -> String) -> H {
        H::default()
    }
    let mut head = header(Signer::sign);
    head.alg = "EdDSA".parse().unwrap();
    head.typ = Some(kind.to_owned());
    head.kid = Some(key.to_owned());
    Signer::default().sign(&head, claims)
}

/// Name of the key that a person's token is signed with.
fn key_of(person: &Person) -> String {
    let head = person.client.token().unwrap().split('.').next().unwrap();
    let head: moim_e2e::Value = base64url(head).parse().unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

fn base64url(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|it| *it == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn an_account_tried_too_often_is_limited_and_no_other() {
    let platform = Platform::one_process().await;
    let (victim, other) = (platform.sign_up("victim").await, platform.sign_up("other").await);
    let client = platform.client();
    let query = "mutation($email: String!, $password: String!) {
        authLogIn(input: { email: $email, password: $password }) { userErrors { code } } }";
    let try_in = async |email: &str, password: &str| {
        client.graphql(query, json!({ "email": email, "password": password })).await
    };
    for _ in 0..5 {
        let body = try_in(&victim.email, "guessed wrong").await;
        assert_eq!(user_error_codes(&body), ["BAD_CREDENTIALS"]);
    }
    for password in ["guessed wrong", &victim.password] {
        let body = try_in(&victim.email, password).await;
        assert_eq!(error_codes(&body), ["RATE_LIMITED"], "{body}");
        assert_eq!(body["errors"][0]["extensions"]["retryable"], true);
    }
    expect_data(&try_in(&other.email, &other.password).await);
    expect_data(&victim.graphql("{ viewer { id } }", json!({})).await);
    assert_quiet(&platform);
}

#[tokio::test]
async fn nobody_hosts_more_gatherings_than_allowed() {
    let knobs = [("MOIM_GATHERING__MAX_HOSTED", "2")];
    let platform = Platform::one_process_with(&knobs).await;
    let (host, heir) = (platform.sign_up("host").await, platform.sign_up("heir").await);
    let first = host.create_gathering(json!({})).await;
    for person in [&host, &heir, &heir] {
        person.create_gathering(json!({})).await;
    }
    let create = "mutation($region: ID!) { gatheringCreate(input: { title: \"하나 더\",
        description: \"더\", category: ARTS, regionId: $region, capacity: 2 }) {
        gathering { id } userErrors { code } } }";
    let region = host.region().await;
    let body = host.graphql(create, json!({ "region": region })).await;
    assert_eq!(user_error_codes(&body), ["WRONG_STATE"], "{body}");
    let membership = heir.join(&first).await;
    let hand_over =
        "mutation($id: ID!) { membershipSetRole(input: { membershipId: $id, role: HOST }) {
        userErrors { code } } }";
    let body = host.graphql(hand_over, json!({ "id": membership })).await;
    assert_eq!(user_error_codes(&body), ["WRONG_STATE"], "{body}");
    assert_quiet(&platform);
}
