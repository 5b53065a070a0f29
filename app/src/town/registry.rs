//! The town's registry: while the town is being founded it vouches for everybody in it.

use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moim_kit::id::{MemberId, SessionId};
use moim_kit::token::{AUDIENCE, Claims, ISSUER, KeySource, PublicKey, TYPE};
use moim_kit::{Caller, Clock, Fault, Timestamp};

const KID: &str = "town";
const LIFE_SECONDS: i64 = 300;

/// Holds a key that is known to the founding process alone, and only while it runs.
///
/// Signing everybody in again at each step of three months would hash thousands of passwords.
pub struct Registry {
    key: SigningKey,
    clock: Clock,
}

impl Registry {
    /// With a fresh key.
    pub fn new(clock: Clock) -> Self {
        Self { key: SigningKey::from_bytes(&rand::random()), clock }
    }

    /// A token for somebody, good for five minutes of the town's time.
    pub fn token(&self, member: MemberId) -> Result<(Caller, String), Fault> {
        let now = self.clock.now().seconds();
        let caller = Caller { member, session: SessionId::fresh() };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: member.to_string(),
            sid: caller.session.to_string(),
            iat: now,
            nbf: now,
            exp: now + LIFE_SECONDS,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(KID.to_owned());
        let der = self.key.to_pkcs8_der().map_err(Fault::internal)?;
        let key = EncodingKey::from_ed_der(der.as_bytes());
        let token = jsonwebtoken::encode(&header, &claims, &key).map_err(Fault::internal)?;
        Ok((caller, token))
    }
}

#[async_trait]
impl KeySource for Registry {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let bytes = self.key.verifying_key().to_bytes().to_vec();
        Ok(vec![PublicKey { kid: KID.to_owned(), bytes }])
    }

    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        Ok(Vec::new())
    }
}
