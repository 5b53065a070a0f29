//! Which access tokens are believed.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use moim_kit::id::{MemberId, SessionId};
use moim_member::Config;
use moim_proto::member::v1::*;
use moim_testbed::{Bed, on_both_databases};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stand::{Stand, anonymous, answer, bearing, config, reason};

const SEED: [u8; 32] = [42; 32];

/// A room whose key the test knows.
fn known_key(bed: &Bed) -> Config {
    let file: PathBuf = bed.data().join("signing.key");
    std::fs::write(&file, STANDARD.encode(SEED)).unwrap();
    Config { signing_key_file: file, ..config() }
}

fn own_key() -> SigningKey {
    SigningKey::from_bytes(&SEED)
}

fn encode(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let body = encode(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(body.as_bytes()).to_bytes());
    format!("{body}.{signature}")
}

/// The header and claims of a token, to be changed.
fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut part = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (part(), part())
}

fn with(value: &Value, name: &str, new: Value) -> Value {
    let mut value = value.clone();
    value[name] = new;
    value
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(name);
    value
}

async fn keys(stand: &Stand) -> Vec<PublishedKey> {
    let request = anonymous().request(ListSigningKeysRequest {});
    answer(stand.client().list_signing_keys(request).await).unwrap().keys
}

type PublishedKey = moim_proto::member::v1::SigningKey;

on_both_databases! {
    async fn a_token_is_of_the_promised_form(bed: Bed) {
        let stand = Stand::with(&bed, known_key(&bed)).await;
        let kim = stand.person("Kim").await;
        let (header, claims) = decode(&kim.tokens.access_token);
        let listed = keys(&stand).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].public_key.as_ref(), own_key().verifying_key().as_bytes());
        assert_eq!(header, json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": listed[0].kid }));
        assert_eq!(claims["iss"], "moim-member");
        assert_eq!(claims["aud"], "moim");
        assert_eq!(claims["sub"], kim.id.to_string());
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        assert_eq!(claims["exp"].as_i64().unwrap() * 1_000_000, kim.tokens.access_expires_at_us);
        assert_eq!(claims["nbf"], claims["iat"]);
        assert!(claims["sid"].as_str().unwrap().parse::<SessionId>().is_ok());
        let again = sign(&own_key(), &header, &claims);
        assert!(
            stand.account(&again).await.is_ok(),
            "the forgeries below differ in one thing only"
        );
    }

    async fn a_forged_or_altered_token_is_not_believed(bed: Bed) {
        let stand = Stand::with(&bed, known_key(&bed)).await;
        let kim = stand.person("Kim").await;
        let token = kim.tokens.access_token.as_str();
        let (header, claims) = decode(token);
        let key = own_key();
        let public = key.verifying_key().to_bytes();
        let hs256 = |secret: &[u8]| {
            let body = encode(&with(&header, "alg", json!("HS256")), &claims);
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(body.as_bytes());
            format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        };
        let none = with(&header, "alg", json!("none"));
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(public) });
        let now = bed.clock.now().seconds();
        let (body, signature) = token.rsplit_once('.').unwrap();
        let stranger = MemberId::fresh().to_string();
        let forged = [
            ("another key", sign(&SigningKey::from_bytes(&[1; 32]), &header, &claims)),
            ("another kid", sign(&key, &with(&header, "kid", json!("other")), &claims)),
            (
                "a path as kid",
                sign(&key, &with(&header, "kid", json!("../../etc/passwd")), &claims),
            ),
            ("no kid", sign(&key, &without(&header, "kid"), &claims)),
            ("alg none", format!("{}.", encode(&none, &claims))),
            ("alg none, signed", sign(&key, &none, &claims)),
            ("alg None", format!("{}.", encode(&with(&header, "alg", json!("None")), &claims))),
            ("HS256 with the public key", hs256(&public)),
            ("HS256 with the public key in base64", hs256(STANDARD.encode(public).as_bytes())),
            ("wrong aud", sign(&key, &header, &with(&claims, "aud", json!("other")))),
            ("no aud", sign(&key, &header, &without(&claims, "aud"))),
            ("wrong iss", sign(&key, &header, &with(&claims, "iss", json!("other")))),
            ("no exp", sign(&key, &header, &without(&claims, "exp"))),
            ("no nbf", sign(&key, &header, &without(&claims, "nbf"))),
            ("wrong typ", sign(&key, &with(&header, "typ", json!("JWT")), &claims)),
            ("no typ", sign(&key, &without(&header, "typ"), &claims)),
            ("jwk", sign(&key, &with(&header, "jwk", jwk), &claims)),
            ("jku", sign(&key, &with(&header, "jku", json!("https://a.example/keys")), &claims)),
            ("crit", sign(&key, &with(&header, "crit", json!(["exp"])), &claims)),
            ("expired", sign(&key, &header, &with(&claims, "exp", json!(now - 31)))),
            ("not yet good", sign(&key, &header, &with(&claims, "nbf", json!(now + 60)))),
            ("no session", sign(&key, &header, &with(&claims, "sid", json!("x")))),
            ("no member", sign(&key, &header, &with(&claims, "sub", json!("")))),
            (
                "altered claims",
                format!("{}.{signature}", encode(&header, &with(&claims, "sub", json!(stranger)))),
            ),
            ("no signature", format!("{body}.")),
            ("cut", token[..token.len() - 4].to_owned()),
            ("too long", format!("{token}{}", "A".repeat(5_000))),
            ("nonsense", "nonsense".to_owned()),
            ("dots", "..".to_owned()),
        ];
        for (what, token) in forged {
            assert_eq!(reason(stand.account(&token).await), "UNAUTHENTICATED", "{what}");
        }
        assert!(stand.account(token).await.is_ok());
    }

    async fn a_token_lives_as_long_as_it_says(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        bed.clock.set(bed.clock.now().after(Duration::from_secs(290)));
        assert!(stand.account(&kim.tokens.access_token).await.is_ok());
        bed.clock.set(bed.clock.now().after(Duration::from_secs(45)));
        assert_eq!(reason(stand.account(&kim.tokens.access_token).await), "UNAUTHENTICATED");
        let next = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        assert!(stand.account(&next.access_token).await.is_ok());
    }

    async fn a_good_token_of_a_vanished_account_is_good_for_nothing(bed: Bed) {
        let stand = Stand::with(&bed, known_key(&bed)).await;
        let kim = stand.person("Kim").await;
        let (header, claims) = decode(&kim.tokens.access_token);
        let nobody = with(&claims, "sub", json!(MemberId::fresh().to_string()));
        let nobody = with(&nobody, "sid", json!(SessionId::fresh().to_string()));
        let token = sign(&own_key(), &header, &nobody);
        let call = || bearing(&token);
        let mut client = stand.client();
        let update = UpdateRequest { bio: Some("hi".to_owned()), ..UpdateRequest::default() };
        let block = SetBlockedRequest { member_id: kim.id.to_string(), blocked: true };
        let refusals = [
            reason(stand.account(&token).await),
            reason(client.update(call().request(update)).await),
            reason(client.set_blocked(call().request(block)).await),
            reason(client.log_out(call().request(LogOutRequest { everywhere: false })).await),
            reason(client.log_out(call().request(LogOutRequest { everywhere: true })).await),
        ];
        assert_eq!(refusals, ["UNAUTHENTICATED"; 5].map(str::to_owned));
    }
}
