//! Sessions whose tokens are refused, and since when that is known to be all of them.

use std::collections::HashMap;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::shared::Revocation;

/// Sessions that wait to be told to other processes; those beyond are told with all of them.
const MOST_UNTOLD: usize = 1_000;

/// Once in here, a session stays until its tokens are dead by themselves.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    sessions: ArcSwap<HashMap<SessionId, Timestamp>>,
    known_at: Mutex<Option<Instant>>,
    untold: Mutex<Vec<Revocation>>,
    told: Notify,
}

impl Revoked {
    pub fn contains(&self, session: SessionId) -> bool {
        self.sessions.load().contains_key(&session)
    }

    /// Adds sessions and lets go of those whose tokens are dead.
    pub fn add(&self, sessions: &[Revocation], now: Timestamp) {
        self.sessions.rcu(|known| {
            let living = known.iter().filter(|(_, until)| **until > now);
            let mut all: HashMap<_, _> =
                living.map(|(session, until)| (*session, *until)).collect();
            all.extend(sessions.iter().copied());
            all
        });
    }

    /// Everything that was revoked by an instant is in here.
    pub fn know(&self, as_of: Instant) {
        let mut known_at = self.known_at.lock();
        *known_at = (*known_at).max(Some(as_of));
    }

    /// Whether that is so of an instant no longer ago than this.
    pub fn is_known(&self, within: Duration) -> bool {
        self.known_at.lock().is_some_and(|at| at.elapsed() <= within)
    }

    /// Puts a session where it is told to other processes.
    pub fn tell(&self, session: Revocation) {
        let mut untold = self.untold.lock();
        if untold.len() < MOST_UNTOLD {
            untold.push(session);
        }
        self.told.notify_one();
    }

    /// Sessions to be told, once there are any.
    pub async fn untold(&self) -> Vec<Revocation> {
        loop {
            let untold = std::mem::take(&mut *self.untold.lock());
            if !untold.is_empty() {
                return untold;
            }
            self.told.notified().await;
        }
    }
}
