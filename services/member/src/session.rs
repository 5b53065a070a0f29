//! Sessions and their refresh tokens: what a token is worth, decided without looking anything up.
//!
//! A refresh token is 256 random bits, good for one use. Its successor is derived from it and the
//! session's secret, so that parallel or repeated uses of one token all arrive at the same
//! successor and no token has to be stored.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use moim_kit::Timestamp;
use moim_kit::id::{MemberId, SessionId};
use sha2::{Digest as _, Sha256};

/// How long sessions live and how forgiving they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// Of an access token.
    pub access: Duration,
    /// Without use.
    pub idle: Duration,
    /// In all.
    pub at_most: Duration,
    /// For a spent token to come again.
    pub grace: Duration,
}

pub(crate) struct Session {
    pub id: SessionId,
    pub member: MemberId,
    pub secret: Vec<u8>,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
}

impl Session {
    /// Opens a session with its first token.
    pub fn open(member: MemberId, lifetimes: &Lifetimes, now: Timestamp) -> (Self, RefreshToken) {
        let session = Self {
            id: SessionId::fresh(),
            member,
            secret: rand::random::<[u8; 32]>().to_vec(),
            opened_at: now,
            expires_at: expiry(now, lifetimes, now),
            revoked: false,
        };
        (session, RefreshToken::encode(&rand::random::<[u8; 32]>()))
    }

    /// Takes note of a use.
    pub fn use_at(&mut self, lifetimes: &Lifetimes, now: Timestamp) {
        self.expires_at = expiry(self.opened_at, lifetimes, now);
    }

    /// When an access token made now expires: never later than its session.
    pub fn access_expiry(&self, lifetimes: &Lifetimes, now: Timestamp) -> Timestamp {
        let expires_at = now.after(lifetimes.access).min(self.expires_at);
        Timestamp::from_us(expires_at.seconds() * 1_000_000)
    }

    /// What a token of this session is worth.
    pub fn judge(&self, token: Standing, lifetimes: &Lifetimes, now: Timestamp) -> Verdict {
        if self.revoked || now >= self.expires_at {
            return Verdict::Refuse;
        }
        match token {
            Standing { used_at: None, .. } => Verdict::Rotate,
            Standing { used_at: Some(at), successor_used: false }
                if now <= at.after(lifetimes.grace) =>
            {
                Verdict::Repeat
            }
            // The successor's holder and whoever holds the old token are two: one of them stole it.
            Standing { .. } => Verdict::Revoke,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("member", &self.member).finish()
    }
}

fn expiry(opened_at: Timestamp, lifetimes: &Lifetimes, now: Timestamp) -> Timestamp {
    now.after(lifetimes.idle).min(opened_at.after(lifetimes.at_most))
}

/// Where a known token stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub used_at: Option<Timestamp>,
    pub successor_used: bool,
}

/// What to do about a token presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Spend it and hand out its successor.
    Rotate,
    /// Its answer was lost: hand out the same successor again.
    Repeat,
    /// It was stolen: end the session.
    Revoke,
    /// The session is over.
    Refuse,
}

/// The text of a refresh token; only its holder keeps it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken(String);

impl RefreshToken {
    fn encode(bytes: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what a client sent, when it has the form of a token.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// What it is known by in the database.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }

    /// The one token that follows it; nothing when the secret is not one.
    pub fn successor(&self, secret: &[u8]) -> Option<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(self.0.as_bytes());
        Some(Self::encode(&mac.finalize().into_bytes()))
    }

    /// For the answer to its holder.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3_600);
    const LIFETIMES: Lifetimes = Lifetimes {
        access: Duration::from_secs(300),
        idle: DAY.saturating_mul(14),
        at_most: DAY.saturating_mul(30),
        grace: Duration::from_secs(10),
    };
    const START: Timestamp = Timestamp::from_us(1_000_000_000_000);
    const UNUSED: Standing = Standing { used_at: None, successor_used: false };

    fn session() -> Session {
        Session::open(MemberId::fresh(), &LIFETIMES, START).0
    }

    #[test]
    fn an_unused_token_is_rotated_until_the_session_idles_out() {
        let session = session();
        assert_eq!(session.judge(UNUSED, &LIFETIMES, START.after(DAY * 13)), Verdict::Rotate);
        assert_eq!(session.judge(UNUSED, &LIFETIMES, START.after(DAY * 14)), Verdict::Refuse);
    }

    #[test]
    fn use_keeps_a_session_alive_but_not_for_ever() {
        let mut session = session();
        session.use_at(&LIFETIMES, START.after(DAY * 13));
        assert_eq!(session.expires_at, START.after(DAY * 27));
        session.use_at(&LIFETIMES, START.after(DAY * 26));
        let end = START.after(DAY * 30);
        assert_eq!(session.expires_at, end);
        assert_eq!(
            session.access_expiry(&LIFETIMES, end.before(DAY)),
            end.before(DAY).after(LIFETIMES.access)
        );
        assert_eq!(session.access_expiry(&LIFETIMES, end.before(LIFETIMES.grace)), end);
    }

    #[test]
    fn a_spent_token_is_forgiven_only_soon_and_only_while_its_successor_rests() {
        let session = session();
        let spent = Standing { used_at: Some(START), successor_used: false };
        let soon = START.after(LIFETIMES.grace);
        let late = soon.after(Duration::from_micros(1));
        assert_eq!(session.judge(spent, &LIFETIMES, soon), Verdict::Repeat);
        assert_eq!(session.judge(spent, &LIFETIMES, late), Verdict::Revoke);
        let overtaken = Standing { successor_used: true, ..spent };
        assert_eq!(session.judge(overtaken, &LIFETIMES, soon), Verdict::Revoke);
        let revoked = Session { revoked: true, ..session };
        assert_eq!(revoked.judge(UNUSED, &LIFETIMES, soon), Verdict::Refuse);
    }

    #[test]
    fn a_token_has_one_successor_within_its_session() {
        let (session, token) = Session::open(MemberId::fresh(), &LIFETIMES, START);
        let next = token.successor(&session.secret).unwrap();
        assert_eq!(token.successor(&session.secret).unwrap(), next);
        assert_ne!(next, token);
        assert_ne!(token.successor(&self::session().secret).unwrap(), next);
        assert_eq!(RefreshToken::parse(&next.0), Some(next.clone()));
        assert!(!format!("{next:?} {session:?}").contains(&next.0));
    }

    #[test]
    fn what_is_no_token_is_not_read_as_one() {
        for text in ["", "x", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43), &"한".repeat(43)]
        {
            assert_eq!(RefreshToken::parse(text), None, "{text:?}");
        }
    }
}
