//! Signing access tokens: EdDSA JWTs of a few minutes, with a key that never leaves this room.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moim_kit::token::{AUDIENCE, Claims, ISSUER, PublicKey, TYPE};
use moim_kit::{Caller, Fault, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::config::refused;

/// What a signing key is made from.
pub(crate) type Seed = [u8; 32];

/// A fresh seed.
pub(crate) fn fresh_seed() -> Seed {
    rand::random()
}

/// The public half of a seed's key.
pub(crate) fn public_key(seed: &Seed) -> PublicKey {
    let bytes = SigningKey::from_bytes(seed).verifying_key().to_bytes();
    // Named after its content: every process that holds the key calls it the same.
    let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..16]);
    PublicKey { kid, bytes: bytes.to_vec() }
}

/// Reads the seed of a key that an operator put in a file.
pub(crate) async fn read_seed(file: &Path) -> Result<Seed, Fault> {
    let sentence = |why: &str| refused(format!("the signing key {} {why}", file.display()));
    let text = tokio::fs::read_to_string(file)
        .await
        .map_err(|error| sentence("cannot be read").because(error))?;
    let text = text.trim();
    let seed = if text.starts_with("-----BEGIN") {
        SigningKey::from_pkcs8_pem(text).ok().map(|key| key.to_bytes())
    } else {
        STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok())
    };
    seed.ok_or_else(|| sentence("is neither PKCS#8 PEM of Ed25519 nor 32 bytes in base64"))
}

/// Signs access tokens with one key.
#[derive(Clone)]
pub(crate) struct Signer {
    key: EncodingKey,
    public: PublicKey,
}

impl Signer {
    pub fn try_new(seed: &Seed) -> Result<Self, Fault> {
        let der = SigningKey::from_bytes(seed)
            .to_pkcs8_der()
            .map_err(|_| refused("the signing key cannot be encoded".to_owned()))?;
        Ok(Self { key: EncodingKey::from_ed_der(der.as_bytes()), public: public_key(seed) })
    }

    /// What verifies its tokens.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A token that speaks for a caller from `now` until `expires`, both in whole seconds.
    pub fn sign(
        &self,
        caller: Caller,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<String, Fault> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.public.kid.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: caller.member.to_string(),
            sid: caller.session.to_string(),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: expires.seconds(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(Fault::internal)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.public.kid).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = [9; 32];

    async fn read(text: &str) -> Result<Seed, Fault> {
        let file = std::env::temp_dir().join(format!("moim-key-{:032x}", rand::random::<u128>()));
        std::fs::write(&file, text).unwrap();
        let read = read_seed(&file).await;
        std::fs::remove_file(&file).unwrap();
        read
    }

    #[tokio::test]
    async fn a_key_file_is_a_seed_in_base64_or_pem() {
        assert_eq!(read(&format!("{}\n", STANDARD.encode(SEED))).await.unwrap(), SEED);
        // As `openssl genpkey -algorithm ed25519` writes it.
        let der = [b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", &SEED[..]];
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.concat())
        );
        assert_eq!(read(&pem).await.unwrap(), SEED);
    }

    #[tokio::test]
    async fn a_bad_key_file_is_refused_without_showing_it() {
        for text in
            ["", "c2VjcmV0", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"]
        {
            let fault = read(text).await.unwrap_err().to_string();
            assert!(fault.contains("moim-key-") && !fault.contains("c2VjcmV0"), "{fault}");
        }
        assert!(read_seed(Path::new("/nowhere")).await.is_err());
    }

    #[test]
    fn a_signer_shows_only_its_key_id() {
        let signer = Signer::try_new(&SEED).unwrap();
        assert_eq!(format!("{signer:?}"), format!("Signer {{ kid: {:?} }}", public_key(&SEED).kid));
        assert_ne!(public_key(&SEED).kid, public_key(&[8; 32]).kid);
    }
}
