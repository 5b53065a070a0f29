//! Single flight: who asks the same thing as somebody of the same identity just now shares the answer.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{Shared, WeakShared};
use http::HeaderMap;
use http::uri::PathAndQuery;
use parking_lot::Mutex;

use super::BoxFuture;
use super::answer::Whole;
use crate::seen::Seen;

/// Two calls with equal keys have the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub method: PathAndQuery,
    pub body: Bytes,
    /// Who asks: nobody is ever given what another may see.
    pub token: Option<Arc<str>>,
    /// What the asker must find again.
    pub seen: Seen,
    /// All else that was sent along, languages too.
    pub headers: HeaderMap,
    /// Writes that had ended when it was asked; who comes after a write does not join who came before.
    pub writes: u64,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The rest differs too seldom to be worth its hashing.
        self.method.hash(state);
        self.body.hash(state);
        self.token.hash(state);
    }
}

type Flight = Shared<BoxFuture<Arc<Whole>>>;
type WeakFlight = WeakShared<BoxFuture<Arc<Whole>>>;

/// The calls that are under way.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Inner>);

#[derive(Default)]
struct Inner {
    under_way: Mutex<HashMap<Arc<Key>, (u64, WeakFlight)>>,
    next: AtomicU64,
    writes: AtomicU64,
}

impl Flights {
    /// How many writes have ended.
    pub(super) fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::Acquire)
    }

    /// Held while something is written, however that ends.
    pub(super) fn writing(&self) -> Writing {
        Writing(self.clone())
    }

    /// Joins the flight of this key, or begins it; true when joined. It goes on for as long as anybody waits.
    pub(super) fn join(
        &self,
        key: Key,
        begin: impl FnOnce() -> BoxFuture<Whole>,
    ) -> (Flight, bool) {
        let mut under_way = self.0.under_way.lock();
        if let Some((_, flight)) = under_way.get(&key)
            && let Some(flight) = flight.upgrade()
            && flight.peek().is_none()
        {
            return (flight, true);
        }
        let key = Arc::new(key);
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: self.0.clone(), key: key.clone(), id };
        let work = begin();
        let flight: BoxFuture<Arc<Whole>> = Box::pin(async move {
            let _landing = landing;
            Arc::new(work.await)
        });
        let flight = flight.shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key, (id, weak));
        }
        (flight, false)
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("under_way", &self.0.under_way.lock().len()).finish()
    }
}

pub(super) struct Writing(Flights);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.0.writes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Takes a flight off the list when it has ended, or nobody waits for it any more.
struct Landing {
    flights: Arc<Inner>,
    key: Arc<Key>,
    id: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock();
        if under_way.get(&self.key).is_some_and(|(id, _)| *id == self.id) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::sync::Notify;
    use tonic::Status;

    use super::*;

    fn key(token: &str) -> Key {
        Key {
            method: PathAndQuery::from_static("/moim.x.v1.XService/Get"),
            body: Bytes::from_static(b"body"),
            token: Some(token.into()),
            seen: Seen::default(),
            headers: HeaderMap::new(),
            writes: 0,
        }
    }

    fn answer() -> Whole {
        Whole::of(Status::not_found("as asked"))
    }

    #[tokio::test]
    async fn who_began_may_leave_and_the_others_have_the_answer() {
        let (flights, asked, go) =
            (Flights::default(), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let begin = || {
            let (asked, go) = (asked.clone(), go.clone());
            let work: BoxFuture<Whole> = Box::pin(async move {
                asked.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                answer()
            });
            work
        };
        let (mut first, joined) = flights.join(key("ann"), begin);
        assert!(!joined && futures::poll!(&mut first).is_pending());
        let (second, joined) = flights.join(key("ann"), begin);
        assert!(joined);
        let (_other, joined) = flights.join(key("bob"), begin);
        assert!(!joined, "another's answer is never shared");
        drop(first);
        go.notify_one();
        assert!(second.await.failure().is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let (_, joined) = flights.join(key("ann"), begin);
        assert!(!joined, "an answer that was given is old");
    }

    #[tokio::test]
    async fn a_flight_that_nobody_waits_for_ends() {
        let flights = Flights::default();
        let never = || -> BoxFuture<Whole> { Box::pin(std::future::pending()) };
        let (first, _) = flights.join(key("ann"), never);
        let (second, _) = flights.join(key("ann"), never);
        drop((first, second));
        assert!(flights.0.under_way.lock().is_empty());
    }

    #[test]
    fn nothing_that_tells_askers_apart_is_left_out_of_the_key() {
        let mut seen = Seen::default();
        let mark =
            crate::seen::Mark::new("member", uuid::Uuid::now_v7(), 1, crate::Timestamp::from_us(1));
        seen.merge([mark]);
        let headers = HeaderMap::from_iter([(
            http::header::ACCEPT_LANGUAGE,
            http::HeaderValue::from_static("ko"),
        )]);
        for other in [
            Key { seen, ..key("ann") },
            Key { headers, ..key("ann") },
            Key { writes: 1, ..key("ann") },
            Key { body: Bytes::from_static(b"else"), ..key("ann") },
            Key { token: None, ..key("ann") },
        ] {
            assert_ne!(other, key("ann"));
        }
    }
}
