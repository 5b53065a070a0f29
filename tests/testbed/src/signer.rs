//! Signs access tokens as the member room would, and vouches for them to verifiers.

use async_trait::async_trait;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moim_kit::id::{MemberId, SessionId};
use moim_kit::token::{AUDIENCE, Claims, ISSUER, KeySource, PublicKey, TYPE};
use moim_kit::{Caller, Fault, Timestamp};

const KID: &str = "test";

/// Holds one key; the same in every test.
pub struct Signer {
    key: SigningKey,
}

impl Default for Signer {
    fn default() -> Self {
        Self { key: SigningKey::from_bytes(&[7; 32]) }
    }
}

impl Signer {
    /// A token for a member, good for five minutes from `now`.
    pub fn token(&self, member: MemberId, now: Timestamp) -> (Caller, String) {
        let caller = Caller { member, session: SessionId::fresh() };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: member.to_string(),
            sid: caller.session.to_string(),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: now.seconds() + 300,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(KID.to_owned());
        (caller, self.sign(&header, &claims))
    }

    /// Signs any bytes, whatever they say.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(bytes).to_bytes().to_vec()
    }

    /// Signs any header and claims, good or bad.
    pub fn sign(&self, header: &Header, claims: &Claims) -> String {
        let der = self.key.to_pkcs8_der().unwrap();
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
    }
}

#[async_trait]
impl KeySource for Signer {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let bytes = self.key.verifying_key().to_bytes().to_vec();
        Ok(vec![PublicKey { kid: KID.to_owned(), bytes }])
    }

    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        Ok(Vec::new())
    }
}
