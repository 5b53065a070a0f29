//! Verifying access tokens: EdDSA JWTs (RFC 7519, RFC 8037, profile of RFC 9068), in every room alike.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
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
use crate::revoked::Revoked;
use crate::shared::Bulletin;

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
/// For an answer to what is revoked, when somebody waits for it.
const REVOCATION_PATIENCE: Duration = Duration::from_secs(1);
/// Between questions on behalf of those who wait, when there was no answer.
const REVOCATION_PAUSE: Duration = Duration::from_millis(200);
/// How long the list of revoked sessions is trusted, unless told otherwise.
const GOOD_FOR: Duration = Duration::from_secs(60);

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
    revoked: Revoked,
    good_for: OnceLock<Duration>,
    board: OnceLock<Board>,
    keys_tried: tokio::sync::Mutex<Option<Instant>>,
    revocations_tried: tokio::sync::Mutex<Option<Instant>>,
    verified: moka::sync::Cache<Arc<str>, Verified>,
}

/// Where processes tell each other what is revoked.
struct Board {
    bulletin: Bulletin,
    /// Whether this process has the source next door, and fills it.
    tells: bool,
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
            revoked: Revoked::default(),
            good_for: OnceLock::new(),
            board: OnceLock::new(),
            keys_tried: tokio::sync::Mutex::default(),
            revocations_tried: tokio::sync::Mutex::default(),
            verified: moka::sync::Cache::new(10_000),
        }
    }

    /// Tells where keys come from; only the first call counts.
    pub fn set_source(&self, source: Arc<dyn KeySource>) {
        let _ = self.source.set(source);
    }

    /// How long the list of revoked sessions is trusted when nobody can be asked; only the first call counts.
    pub fn trust_for(&self, span: Duration) {
        let _ = self.good_for.set(span);
    }

    /// Hears of revoked sessions where processes tell each other, and tells them there when the source is next
    /// door; only the first call counts.
    pub fn set_bulletin(self: &Arc<Self>, bulletin: Bulletin, tells: bool) {
        let verifier: Weak<Self> = Arc::downgrade(self);
        bulletin.listen(move |revocation| {
            if let Some(verifier) = verifier.upgrade() {
                verifier.revoked.add(&[revocation], verifier.clock.now());
            }
        });
        let _ = self.board.set(Board { bulletin, tells });
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
        if !in_time || self.revoked.contains(verified.caller.session) {
            return Err(Fault::unauthenticated());
        }
        if !self.revoked.is_known(self.good_for()) {
            self.learn_revocations().await?;
            if self.revoked.contains(verified.caller.session) {
                return Err(Fault::unauthenticated());
            }
        }
        Ok((verified.caller, Timestamp::from_us(verified.expires_at.saturating_mul(1_000_000))))
    }

    /// False once a session's tokens are refused, or when that cannot be told any more; asked of memory alone.
    pub fn is_good(&self, session: SessionId) -> bool {
        !self.revoked.contains(session) && self.revoked.is_known(self.good_for())
    }

    /// Refuses a session's tokens from now on; other processes hear of it at once where there is a bulletin, and
    /// from the source else.
    pub fn revoke(&self, session: SessionId, until: Timestamp) {
        self.revoked.add(&[(session, until)], self.clock.now());
        if self.board.get().is_some_and(|board| board.tells) {
            self.revoked.tell((session, until));
        }
    }

    /// Follows what is revoked for as long as it is polled, and knows the keys before anybody shows a token.
    pub async fn watch(self: Arc<Self>) {
        loop {
            if self.keys.load().is_empty()
                && let Err(fault) = self.read_keys().await
            {
                tracing::warn!(error = %fault, "keys could not be read; soon again");
            }
            if let Err(fault) = self.read_revocations().await {
                tracing::warn!(error = %fault, "revocations could not be read; going on with the last known");
            }
            tokio::time::sleep(REVOCATION_POLL).await;
        }
    }

    /// Tells other processes at once what is revoked here, for as long as it is polled.
    pub async fn tell(self: Arc<Self>) {
        loop {
            let untold = self.revoked.untold().await;
            // What does not get there is told with all of them, within a second.
            if let Some(board) = self.board.get()
                && let Err(lost) = board.bulletin.post(&untold, self.clock.now()).await
            {
                tracing::warn!(error = %lost, "a revocation was not told at once");
            }
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
        let mut tried = self.keys_tried.lock().await;
        let rested = tried.is_none_or(|at| at.elapsed() >= REFRESH_PAUSE);
        if !self.keys.load().contains_key(kid) && rested {
            self.read_keys().await?;
            // Only an answer counts as a try: a source that was down may be asked again at once.
            *tried = Some(Instant::now());
        }
        self.keys.load().get(kid).cloned().ok_or_else(Fault::unauthenticated)
    }

    async fn read_keys(&self) -> Result<(), Fault> {
        let keys = self.source()?.keys().await?.into_iter();
        let keys = keys.map(|key| (key.kid, DecodingKey::from_ed_der(&key.bytes)));
        self.keys.store(Arc::new(keys.collect()));
        Ok(())
    }

    fn good_for(&self) -> Duration {
        self.good_for.get().copied().unwrap_or(GOOD_FOR)
    }

    /// Asks on behalf of somebody who waits: a process that has just started, or that could ask nobody for long,
    /// must not honour what was revoked meanwhile.
    async fn learn_revocations(&self) -> Result<(), Fault> {
        let unknown = || {
            let told = "what is revoked is not known any more";
            Fault::unavailable("REVOCATIONS_UNAVAILABLE", told)
        };
        let mut tried = self.revocations_tried.lock().await;
        if self.revoked.is_known(self.good_for()) {
            return Ok(());
        }
        if tried.is_some_and(|at| at.elapsed() < REVOCATION_PAUSE) {
            return Err(unknown());
        }
        let read = tokio::time::timeout(REVOCATION_PATIENCE, self.read_revocations()).await;
        *tried = Some(Instant::now());
        match read {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(unknown()),
        }
    }

    /// Reads all that is revoked: where processes tell each other, if that is whole, else from the source.
    async fn read_revocations(&self) -> Result<(), Fault> {
        let as_of = Instant::now();
        let now = self.clock.now();
        let board = self.board.get();
        if let Some(board) = board.filter(|board| !board.tells)
            && let Ok(Some(told)) = board.bulletin.read(now).await
        {
            self.revoked.add(&told, now);
            self.revoked.know(as_of);
            return Ok(());
        }
        let listed = self.source()?.revocations().await?;
        self.revoked.add(&listed, now);
        self.revoked.know(as_of);
        if let Some(board) = board.filter(|board| board.tells) {
            // Lost, it is believed to be whole no longer, and others ask the source.
            let _ = board.bulletin.post_all(&listed, now).await;
        }
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
