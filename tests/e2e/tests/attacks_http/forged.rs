//! Tokens that somebody made: every trick of the trade is UNAUTHENTICATED, over HTTP and over sockets.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use moim_e2e::{Client, Person, Platform, Socket, Value, error_codes, json};
use moim_kit::Clock;
use moim_kit::id::{MemberId, SessionId};
use moim_kit::token::{AUDIENCE, ISSUER, KeySource as _, TYPE};
use moim_testbed::Signer;
use sha2::Sha256;
use tempfile::TempDir;

use crate::scene::assert_quiet;
use crate::wire::answers;

/// The seed of the testbed's signer, in base64.
const SEED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Fails unless the token is refused at once, whatever it asks for.
pub async fn refused(client: &Client, token: &str, what: &str) {
    let authorization = format!("Bearer {token}");
    let header = [("authorization", authorization.as_str())];
    let answer = client.send_with("{ regions { id } }", json!({}), &header).await;
    let shown: String = token.chars().take(300).collect();
    assert_eq!(answer.status, 401, "{what} {shown}: {}", answer.body);
    assert_eq!(error_codes(&answer.body), ["UNAUTHENTICATED"], "{what} {shown}");
    assert!(answer.body.get("data").is_none(), "{what}: {}", answer.body);
    let Err(closed) = Socket::open(client.url(), token).await else {
        panic!("{what} opened a socket: {shown}")
    };
    assert!(format!("{closed:?}").contains("4403"), "{what}: {closed:?}");
    answers(client, what).await;
}

/// Claims of somebody who may do everything for the next five minutes.
fn claims() -> Value {
    let now = Clock::system().now().seconds();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": MemberId::fresh().to_string(),
        "sid": SessionId::fresh().to_string(), "iat": now, "nbf": now, "exp": now + 300,
    })
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A header as the house writes it, with changes.
fn header(changes: Value) -> Value {
    let mut header = json!({ "alg": "EdDSA", "typ": TYPE, "kid": "test" });
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    header.as_object_mut().unwrap().extend(changes);
    header
}

fn with_hmac(key: &[u8], header: &Value) -> String {
    let body = format!("{}.{}", encoded(header), encoded(&claims()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A token with a sound signature of a key that is not the house's.
pub fn signed_by_a_stranger(changes: Value) -> String {
    sealed(&header(changes))
}

/// Signed soundly by the testbed's key, under any header.
fn sealed(header: &Value) -> String {
    let body = format!("{}.{}", encoded(header), encoded(&claims()));
    let signature = Signer::default().sign_bytes(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Name of the key that a person's token is signed with.
fn key_of(person: &Person) -> String {
    let head = person.client.token().unwrap().split('.').next().unwrap();
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

/// A platform that signs by the testbed's key, where that is kept, and its name there.
async fn under_our_key() -> (TempDir, Platform, String) {
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("key");
    fs::write(&file, SEED).unwrap();
    let knobs = [("MOIM_MEMBER__SIGNING_KEY_FILE", file.to_str().unwrap())];
    let platform = Platform::one_process_with(&knobs).await;
    let kid = key_of(&platform.sign_up("somebody").await);
    (keys, platform, kid)
}

#[tokio::test]
async fn no_algorithm_but_the_house_s_own_is_accepted() {
    let (_keys, platform, kid) = under_our_key().await;
    let client = platform.client();
    let good = client.with_token(sealed(&header(json!({ "kid": kid }))));
    answers(&good, "a token as the house signs it").await;

    let public = Signer::default().keys().await.unwrap()[0].bytes.clone();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&public)
    );
    let weak: [&[u8]; 8] =
        [b"", b"secret", b"password", b"moim", b"key", &public, pem.as_bytes(), &[0; 32]];
    for key in weak {
        for alg in ["HS256", "EdDSA", "hs256"] {
            let token = with_hmac(key, &header(json!({ "alg": alg, "kid": kid })));
            refused(&client, &token, "a shared secret").await;
        }
    }
    let sound = sealed(&header(json!({ "kid": kid })));
    let signature = sound.rsplit('.').next().unwrap();
    for alg in
        ["none", "None", "NONE", "nOnE", "", "HS512", "RS256", "PS256", "ES256", "Ed25519", "eddsa"]
    {
        let head = encoded(&header(json!({ "alg": alg, "kid": kid })));
        for signature in ["", signature] {
            let token = format!("{head}.{}.{signature}", encoded(&claims()));
            refused(&client, &token, alg).await;
        }
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn a_header_that_says_more_than_the_house_s_own_is_refused_however_well_signed() {
    let (_keys, platform, kid) = under_our_key().await;
    let client = platform.client();
    let public = Signer::default().keys().await.unwrap()[0].bytes.clone();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&public) });
    let good = client.with_token(sealed(&header(json!({ "kid": kid }))));
    answers(&good, "a token as the house signs it").await;
    for more in [
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "crit": [] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "jwk": jwk }),
        json!({ "jku": "https://keys.example/jwks.json" }),
        json!({ "x5u": "https://keys.example/cert.pem" }),
        json!({ "x5c": [STANDARD.encode(&public)] }),
        json!({ "zip": "DEF" }),
        json!({ "cty": "JWT" }),
        json!({ "typ": "JWT" }),
        json!({ "typ": null }),
        json!({ "kid": null }),
        json!({ "kid": [kid] }),
        json!({ "alg": ["EdDSA"] }),
    ] {
        let mut changes = json!({ "kid": kid });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refused(&client, &sealed(&header(changes)), &more.to_string()).await;
    }
    assert_quiet(&platform);
}

#[tokio::test]
async fn the_name_of_a_key_is_a_name_and_nothing_else() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    answers(&client, "nothing yet").await;
    for kid in [
        "",
        "test",
        "../../../../dev/null",
        "/dev/null",
        "/proc/self/environ",
        "file:///etc/passwd",
        "x' UNION SELECT 'key' --",
        "' OR '1'='1",
        "1; DROP TABLE session",
        "| sleep 10",
        "$(sleep 10)",
        "`sleep 10`",
        "key\0",
        "\u{1b}[31m",
        "\r\nERROR forged",
        &"k".repeat(2_000),
    ] {
        let strange = header(json!({ "kid": kid }));
        refused(&client, &sealed(&strange), "the name of a key").await;
        refused(&client, &with_hmac(b"", &strange), "the name of a key").await;
    }
    // What is huge is not even read.
    for length in [5_000, 60_000] {
        let authorization = format!("Bearer {}", "a".repeat(length));
        let header = [("authorization", authorization.as_str())];
        let answer = client.send_with("{ regions { id } }", json!({}), &header).await;
        assert!(matches!(answer.status, 401 | 431), "{length}: {}", answer.status);
        answers(&client, "a huge token").await;
    }
    assert_quiet(&platform);
}
