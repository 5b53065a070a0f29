//! Where revoked sessions are told between processes: at once by a channel, and again by a set that is read.
//!
//! The set is never the truth. It is believed for as long as the member room says, every second, that it is whole,
//! and only of the same life of Redis: one that was restarted, replaced or emptied is not believed before the member
//! room has filled it.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use redis::Script;

use super::super::Lost;
use super::link::Link;
use crate::clock::Timestamp;
use crate::id::SessionId;

/// Channel of sessions that were just revoked.
pub(super) const CHANNEL: &str = "moim:revoked";
const KEY: &str = "moim:revoked";
/// For how long the set is believed to be whole after it was last said to be.
const LEASE: Duration = Duration::from_secs(3);
/// Sessions that are told; with more at once everybody asks the member room instead.
const MOST_SESSIONS: usize = 10_000;
/// Longer than any access token lives.
const LIFE: Duration = Duration::from_secs(3_600);

static READ: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("read.lua")));
static POST: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("post.lua")));

/// A session whose tokens are refused until they are dead anyway.
pub type Revocation = (SessionId, Timestamp);
type Heard = Box<dyn Fn(Revocation) + Send + Sync>;

/// Revoked sessions in Redis.
#[derive(Clone)]
pub struct Bulletin {
    link: Arc<Link>,
    heard: Arc<OnceLock<Heard>>,
    version: Arc<Mutex<String>>,
}

impl Bulletin {
    pub(super) fn new(link: Arc<Link>, heard: Arc<OnceLock<Heard>>) -> Self {
        Self { link, heard, version: Arc::default() }
    }

    /// Told each session when another process revokes it; only the first call counts.
    pub fn listen(&self, heard: impl Fn(Revocation) + Send + Sync + 'static) {
        let _ = self.heard.set(Box::new(heard));
    }

    /// Sessions added since the last time; None when they may not be all.
    pub async fn read(&self, now: Timestamp) -> Result<Option<Vec<Revocation>>, Lost> {
        let known = self.version.lock().clone();
        let read = self.link.call(|mut redis, run| async move {
            let mut script = READ.key(KEY);
            script.arg(&*run).arg(known).arg(now.us());
            script.invoke_async::<Option<(String, Vec<(String, f64)>)>>(&mut redis).await
        });
        let Some((version, sessions)) = read.await? else { return Ok(None) };
        let sessions = sessions.into_iter().map(|(session, until)| {
            #[expect(clippy::cast_possible_truncation, reason = "instants stay below 2^53 us")]
            let until = Timestamp::from_us(until as i64);
            session.parse().map(|session| (session, until)).map_err(|_| stranger(&session))
        });
        let sessions = sessions.collect::<Result<_, _>>()?;
        *self.version.lock() = version;
        Ok(Some(sessions))
    }

    /// Tells sessions that were revoked.
    pub async fn post(&self, sessions: &[Revocation], now: Timestamp) -> Result<(), Lost> {
        self.write(sessions, now, Duration::ZERO).await
    }

    /// Tells all sessions that are revoked, which are believed to be all for a while.
    pub async fn post_all(&self, sessions: &[Revocation], now: Timestamp) -> Result<(), Lost> {
        let lease = if sessions.len() > MOST_SESSIONS { Duration::ZERO } else { LEASE };
        self.write(sessions, now, lease).await
    }

    async fn write(
        &self,
        sessions: &[Revocation],
        now: Timestamp,
        lease: Duration,
    ) -> Result<(), Lost> {
        let mut script = POST.key(KEY);
        let told = sessions.iter().take(MOST_SESSIONS);
        self.link
            .call(|mut redis, run| async move {
                script.arg(CHANNEL).arg(&*run).arg(super::ms_or_none(lease));
                script.arg(now.us()).arg(super::ms(LIFE));
                for (session, until) in told {
                    script.arg(session.to_string()).arg(until.us());
                }
                script.invoke_async(&mut redis).await
            })
            .await
    }
}

impl fmt::Debug for Bulletin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bulletin")
    }
}

/// What is heard on the channel: a session and when its tokens are dead.
pub(super) fn hear(heard: &OnceLock<Heard>, message: &[u8]) {
    let read = || {
        let (session, until) = std::str::from_utf8(message).ok()?.split_once(' ')?;
        Some((session.parse().ok()?, Timestamp::from_us(until.parse().ok()?)))
    };
    match (read(), heard.get()) {
        (Some(revocation), Some(heard)) => heard(revocation),
        (None, _) => tracing::warn!("what was heard of Redis names no session"),
        (_, None) => {}
    }
}

fn stranger(session: &str) -> Lost {
    Lost(format!("{session:?} is no session"))
}
