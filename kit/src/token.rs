//! Verifying access tokens: EdDSA JWTs (RFC 7519, RFC 8037, profile of RFC 9068), in every room alike.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::call::Caller;
use crate::clock::{Clock, Timestamp};
use crate::fault::Fault;
use crate::id::SessionId;

/// Who issues tokens.
pub const ISSUER: &str = "moim-member";
/// Whom tokens are for.
pub const AUDIENCE: &str = "moim";
/// Media type in a token's header (RFC 9068).
pub const TYPE: &str = "at+jwt";

const MAX_TOKEN_BYTES: usize = 4_096;
const LEEWAY_S: i64 = 30;
const REFRESH_PAUSE: Duration = Duration::from_secs(5);
const REVOCATION_POLL: Duration = Duration::from_secs(1);

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// Member id.
    pub sub: String,
    /// Session id.
    pub sid: String,
    /// Issued at, seconds.
    pub iat: i64,
    /// Not before, seconds.
    pub nbf: i64,
    /// Expires at, seconds.
    pub exp: i64,
}

/// A key that verifies tokens.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// Key id.
    pub kid: String,
    /// Ed25519 public key, 32 bytes.
    pub bytes: Vec<u8>,
}

/// Where a verifier gets what it must know.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Keys in use.
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault>;
    /// Revoked sessions whose tokens may still live, and until when.
    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault>;
}

/// Verifies tokens with cached keys; cheap to share, one per process.
pub struct Verifier {
    clock: Clock,
    source: OnceLock<Arc<dyn KeySource>>,
    keys: ArcSwap<HashMap<String, DecodingKey>>,
    revoked: ArcSwap<HashMap<SessionId, Timestamp>>,
    loading: tokio::sync::Mutex<Loading>,
    verified: moka::sync::Cache<Arc<str>, Verified>,
}

#[derive(Default)]
struct Loading {
    keys_tried: Option<Instant>,
    revocations_loaded: bool,
}

#[derive(Clone, Copy)]
struct Verified {
    caller: Caller,
    not_before: i64,
    expires_at: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl Verifier {
    /// Knows no keys until it has a source.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            source: OnceLock::new(),
            keys: ArcSwap::default(),
            revoked: ArcSwap::default(),
            loading: tokio::sync::Mutex::default(),
            verified: moka::sync::Cache::new(10_000),
        }
    }

    /// Tells where keys come from; only the first call counts.
    pub fn set_source(&self, source: Arc<dyn KeySource>) {
        let _ = self.source.set(source);
    }

    /// Who a token speaks for; `UNAUTHENTICATED` when it is not good, `UNAVAILABLE` when that cannot be told.
    pub async fn verify(&self, token: &Arc<str>) -> Result<Caller, Fault> {
        self.verify_until(token).await.map(|(caller, _)| caller)
    }

    /// As [`Verifier::verify`], with the instant at which the token ends.
    pub async fn verify_until(&self, token: &Arc<str>) -> Result<(Caller, Timestamp), Fault> {
        let verified = match self.verified.get(token) {
            Some(verified) => verified,
            None => {
                let verified = self.check(token).await?;
                self.verified.insert(token.clone(), verified);
                verified
            }
        };
        let now = self.clock.now();
        let in_time = verified.not_before - LEEWAY_S <= now.seconds()
            && now.seconds() < verified.expires_at + LEEWAY_S;
        let revoked = self.revoked.load().contains_key(&verified.caller.session);
        if !in_time || revoked {
            return Err(Fault::unauthenticated());
        }
        Ok((verified.caller, Timestamp::from_us(verified.expires_at.saturating_mul(1_000_000))))
    }

    /// True once a session's tokens are refused; asked of memory alone.
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.revoked.load().contains_key(&session)
    }

    /// Refuses a session's tokens from now on, in this process; others learn it from the source.
    pub fn revoke(&self, session: SessionId, until: Timestamp) {
        self.revoked.rcu(|revoked| {
            let mut revoked = HashMap::clone(revoked);
            revoked.insert(session, until);
            revoked
        });
    }

    /// Follows the source's revocations for as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if let Err(fault) = self.load_revocations().await {
                tracing::warn!(error = %fault, "revocations could not be read; going on with the last known");
            }
            tokio::time::sleep(REVOCATION_POLL).await;
        }
    }

    async fn check(&self, token: &str) -> Result<Verified, Fault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Fault::unauthenticated());
        }
        let header = read_header(token).ok_or_else(Fault::unauthenticated)?;
        if header.alg != "EdDSA" || !header.typ.eq_ignore_ascii_case(TYPE) {
            return Err(Fault::unauthenticated());
        }
        let key = self.key(&header.kid).await?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "nbf", "sub"]);
        // Times are judged by the house's clock on every use, not once when the token is first met.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|_| Fault::unauthenticated())?
            .claims;
        let caller = Caller {
            member: claims.sub.parse().map_err(|_| Fault::unauthenticated())?,
            session: claims.sid.parse().map_err(|_| Fault::unauthenticated())?,
        };
        Ok(Verified { caller, not_before: claims.nbf, expires_at: claims.exp })
    }

    async fn key(&self, kid: &str) -> Result<DecodingKey, Fault> {
        if let Some(key) = self.keys.load().get(kid) {
            return Ok(key.clone());
        }
        let mut loading = self.loading.lock().await;
        let rested = loading.keys_tried.is_none_or(|at| at.elapsed() >= REFRESH_PAUSE);
        if !self.keys.load().contains_key(kid) && rested {
            let keys = self.source()?.keys().await?;
            // Only an answer counts as a try: a source that was down may be asked again at once.
            loading.keys_tried = Some(Instant::now());
            self.keys.store(Arc::new(
                keys.into_iter()
                    .map(|key| (key.kid, DecodingKey::from_ed_der(&key.bytes)))
                    .collect(),
            ));
        }
        if !loading.revocations_loaded {
            // A process that has just started must not honour what was revoked before.
            self.load_revocations().await?;
            loading.revocations_loaded = true;
        }
        self.keys.load().get(kid).cloned().ok_or_else(Fault::unauthenticated)
    }

    async fn load_revocations(&self) -> Result<(), Fault> {
        let listed = self.source()?.revocations().await?;
        let now = self.clock.now();
        self.revoked.rcu(|revoked| {
            let mut all: HashMap<_, _> = listed.iter().copied().collect();
            all.extend(revoked.iter().filter(|(_, until)| **until > now));
            all
        });
        Ok(())
    }

    fn source(&self) -> Result<&Arc<dyn KeySource>, Fault> {
        self.source
            .get()
            .ok_or_else(|| Fault::unavailable("KEYS_UNAVAILABLE", "no source of keys is set"))
    }
}

fn read_header(token: &str) -> Option<Header> {
    let encoded = token.split('.').next()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
