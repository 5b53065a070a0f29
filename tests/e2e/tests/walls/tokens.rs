//! A room believes a good token and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moim_e2e::json;
use moim_kit::Clock;
use moim_kit::id::SessionId;
use moim_kit::token::{AUDIENCE, Claims, ISSUER, TYPE};
use moim_testbed::Signer;
use tonic::Code;

use crate::room::{Room, account, list_keys, sign_up};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_good_token_is_nobody() {
    let room = Room::open(&[]).await;
    let channel = room.channel();
    let signed_up = sign_up(&channel).await;
    let token = signed_up.tokens.unwrap().access_token;
    let member = signed_up.account.unwrap().member.unwrap().id;
    let kid = list_keys(&channel).await.unwrap().remove(0);
    let now = Clock::system().now().seconds();
    let claims = |audience: &str| Claims {
        iss: ISSUER.to_owned(),
        aud: audience.to_owned(),
        sub: member.clone(),
        sid: SessionId::fresh().to_string(),
        iat: now,
        nbf: now,
        exp: now + 300,
    };
    let header = |algorithm| {
        let mut header = Header::new(algorithm);
        (header.typ, header.kid) = (Some(TYPE.to_owned()), Some(kid.clone()));
        header
    };
    // The room signs with the key that every test knows, so that one thing at a time can be wrong.
    let ours = Signer::default();
    let good = ours.sign(&header(Algorithm::EdDSA), &claims(AUDIENCE));
    for token in [&token, &good] {
        let answer = account(&channel, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(answer.unwrap(), "walls@example.com");
    }

    let part = |json: moim_e2e::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let unsigned = part(json!({ "alg": "none", "typ": TYPE, "kid": kid }));
    let claimed = good.split('.').nth(1).unwrap();
    let mut tampered: Vec<_> = good.split('.').map(str::to_owned).collect();
    tampered[1] = part(serde(&claims("moim-else")));
    let by_secret = |secret: &[u8]| {
        let key = EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&header(Algorithm::HS256), &claims(AUDIENCE), &key).unwrap()
    };
    let forged = [
        ("wrong audience", ours.sign(&header(Algorithm::EdDSA), &claims("somewhere-else"))),
        ("alg none", format!("{unsigned}.{claimed}.")),
        ("alg none with a signature", format!("{unsigned}.{claimed}.{}", &tampered[2])),
        ("tampered", tampered.join(".")),
        ("another kind of key", by_secret(b"secret")),
        ("no token at all", "secret".to_owned()),
        ("empty", String::new()),
    ];
    for (what, token) in &forged {
        let refused = account(&channel, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated, "{what}");
    }
    for headers in [&[][..], &[("x-user-id", member.as_str())], &[("x-moim-member", &member)]] {
        let refused = account(&channel, headers).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated, "{headers:?}");
    }
    let answer = account(&channel, &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.unwrap(), "walls@example.com");
}

fn serde(claims: &Claims) -> moim_e2e::Value {
    json!({
        "iss": claims.iss, "aud": claims.aud, "sub": claims.sub, "sid": claims.sid,
        "iat": claims.iat, "nbf": claims.nbf, "exp": claims.exp,
    })
}
