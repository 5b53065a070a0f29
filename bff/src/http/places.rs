//! How many sockets and streams are open: in all, for each member, and for strangers of each address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use moim_kit::metrics;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ws::SocketLimits;

/// Everyone who holds something open.
pub(super) struct Places {
    all: Arc<Semaphore>,
    callers: Arc<Heads<Arc<str>>>,
    strangers: Arc<Heads<IpAddr>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Nobody gets one.
    Everywhere,
    /// This member, or strangers of this address, hold enough.
    Theirs,
}

/// A place of a stranger until it is told whose it is; free again when dropped.
pub(super) struct Place {
    _one: OwnedSemaphorePermit,
    callers: Arc<Heads<Arc<str>>>,
    stranger: Option<Head<IpAddr>>,
    caller: Option<Head<Arc<str>>>,
}

impl Places {
    pub(super) fn new(limits: &SocketLimits) -> Self {
        let all = Arc::new(Semaphore::new(limits.sockets));
        if let Some(catalogue) = metrics::catalogue() {
            let most = limits.sockets;
            let open = move |all: &Semaphore| most.saturating_sub(all.available_permits());
            catalogue.sockets.watch(&all, &[], open);
        }
        Self {
            all,
            callers: Heads::new(limits.per_member),
            strangers: Heads::new(limits.per_address),
        }
    }

    /// A place for somebody of whom only the address is known.
    pub(super) fn take(&self, address: Option<IpAddr>) -> Result<Place, Full> {
        let one = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Full::Everywhere)?;
        let stranger = address.map(|address| self.strangers.count(address));
        Ok(Place {
            _one: one,
            callers: Arc::clone(&self.callers),
            stranger: stranger.transpose()?,
            caller: None,
        })
    }
}

impl Place {
    /// Counts it for a member, and for the address no longer.
    pub(super) fn belong(&mut self, caller: &Arc<str>) -> Result<(), Full> {
        self.caller = Some(self.callers.count(Arc::clone(caller))?);
        self.stranger = None;
        Ok(())
    }
}

/// How many each one holds; who holds none takes no memory.
struct Heads<K> {
    held: Mutex<HashMap<K, usize>>,
    most: usize,
}

impl<K: Clone + Eq + Hash> Heads<K> {
    fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { held: Mutex::default(), most })
    }

    fn count(self: &Arc<Self>, key: K) -> Result<Head<K>, Full> {
        let mut held = self.held.lock();
        let count = held.get(&key).copied().unwrap_or_default();
        if count >= self.most {
            return Err(Full::Theirs);
        }
        held.insert(key.clone(), count + 1);
        Ok(Head { heads: Arc::clone(self), key })
    }
}

struct Head<K: Eq + Hash> {
    heads: Arc<Heads<K>>,
    key: K,
}

impl<K: Eq + Hash> Drop for Head<K> {
    fn drop(&mut self) {
        let mut held = self.heads.held.lock();
        match held.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                held.remove(&self.key);
            }
        }
    }
}
