//! Many `load(key)` of one level become one call, without waiting for any time to pass.
//!
//! The first `load` of a batch that is polled leads it. Within [`rounds`] it is woken when the operation
//! has gone as far as it can, so that everyone of its level stands in the batch, and sends it off.
//! Outside it wakes itself, and sends the batch off once a whole round has brought nobody new. There is
//! no timer and nothing to tune.

mod rounds;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::{BoxFuture, FutureExt as _, TryFutureExt as _};
use moim_kit::metrics;
use moim_kit::task::{Scoped, scoped};
use parking_lot::Mutex;
use tracing::Instrument;

use rounds::{Home, Stuck};
pub use rounds::{Rounds, rounds};

/// Keys of one call; further ones make further calls, all at once.
pub const MAX_BATCH: usize = 200;

type LoadFn<K, V, E> =
    dyn Fn(Vec<K>) -> BoxFuture<'static, Result<Found<K, V, E>, E>> + Send + Sync;

/// What a call found, and what became of all other keys: None, or this error.
pub type Found<K, V, E> = (HashMap<K, V>, Option<E>);

/// Loads values by key for one request, and remembers them for the rest of it.
pub struct Loader<K, V, E> {
    shared: Arc<Shared<K, V, E>>,
}

struct Shared<K, V, E> {
    load: Box<LoadFn<K, V, E>>,
    panic_error: fn() -> E,
    state: Mutex<State<K, V, E>>,
}

struct State<K, V, E> {
    entries: HashMap<K, Entry<V, E>>,
    batches: HashMap<u64, Batch<K>>,
    /// The batch that still takes keys.
    open: Option<u64>,
    next_batch: u64,
}

enum Entry<V, E> {
    Waiting(u64),
    Ready(Result<Option<V>, E>),
}

struct Batch<K> {
    keys: Vec<K>,
    /// Everyone who ever joined; tells the leader whether the last round brought anybody.
    joined: usize,
    waiters: usize,
    wakers: Vec<Option<Waker>>,
    led: bool,
    /// The call, once it was sent off; dropping it gives the call up.
    work: Option<Scoped<()>>,
    /// Where its answer is handed out.
    home: Option<Home>,
}

impl<K> Default for Batch<K> {
    fn default() -> Self {
        let (keys, wakers) = (Vec::new(), Vec::new());
        Self { keys, joined: 0, waiters: 0, wakers, led: false, work: None, home: None }
    }
}

impl<K, V, E> Clone for Loader<K, V, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, V, E> fmt::Debug for Loader<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
}

impl<K, V, E> Loader<K, V, E>
where
    K: Clone + Eq + Hash + Send + Unpin + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    /// A loader that calls `load` with distinct keys. A key missing from its answer is None to whoever
    /// asked; its failure goes to every waiter of the call; should it panic or be dropped, they get
    /// `panic_error`. The call runs on a task of its own, so capture deadline and caller now.
    pub fn new(
        load: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, E>> + Send + Sync + 'static,
        panic_error: fn() -> E,
    ) -> Self {
        Self::partial(move |keys| load(keys).map_ok(|found| (found, None)).boxed(), panic_error)
    }

    /// The same of a call that may fail for some of its keys only.
    pub fn partial(
        load: impl Fn(Vec<K>) -> BoxFuture<'static, Result<Found<K, V, E>, E>> + Send + Sync + 'static,
        panic_error: fn() -> E,
    ) -> Self {
        let state =
            State { entries: HashMap::new(), batches: HashMap::new(), open: None, next_batch: 0 };
        Self {
            shared: Arc::new(Shared {
                load: Box::new(load),
                panic_error,
                state: Mutex::new(state),
            }),
        }
    }

    /// The value of a key; nothing happens until it is polled.
    pub fn load(&self, key: K) -> Load<K, V, E> {
        Load { shared: Arc::clone(&self.shared), key, seat: None }
    }

    /// Puts in a value that is known already, over one that was loaded before.
    pub fn prime(&self, key: K, value: V) {
        let mut state = self.shared.state.lock();
        if !matches!(state.entries.get(&key), Some(Entry::Waiting(_))) {
            state.entries.insert(key, Entry::Ready(Ok(Some(value))));
        }
    }
}

/// A value on its way; see [`Loader::load`].
pub struct Load<K, V, E>
where
    K: Clone + Eq + Hash,
{
    shared: Arc<Shared<K, V, E>>,
    key: K,
    seat: Option<Seat>,
}

/// A waiter's place in a batch.
struct Seat {
    batch: u64,
    slot: usize,
    /// Set for the one who sends the batch off.
    lead: Option<Lead>,
}

/// What a leader waits for.
enum Lead {
    Stuck(Stuck),
    /// Nobody new since it last looked; so many had joined then.
    Round(usize),
}

impl<K: Clone + Eq + Hash, V, E> fmt::Debug for Load<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Load")
    }
}

impl<K, V, E> Future for Load<K, V, E>
where
    K: Clone + Eq + Hash + Send + Unpin + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    type Output = Result<Option<V>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = this.shared.state.lock();
        let joined = match state.entries.get(&this.key) {
            Some(Entry::Ready(result)) => {
                this.seat = None;
                return Poll::Ready(result.clone());
            }
            Some(Entry::Waiting(batch)) => Some(*batch),
            None => None,
        };
        let seat = match &mut this.seat {
            Some(seat) => seat,
            None => {
                let batch = joined.unwrap_or_else(|| state.enlist(this.key.clone()));
                this.seat.insert(state.sit_down(batch))
            }
        };
        let Some(batch) = state.batches.get_mut(&seat.batch) else { return Poll::Pending };
        let slot = &mut batch.wakers[seat.slot];
        let moved = !slot.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
        if moved {
            *slot = Some(cx.waker().clone());
        }
        if batch.work.is_some() {
            return Poll::Pending;
        }
        let complete = match &mut seat.lead {
            None if batch.led => false,
            None => {
                batch.led = true;
                seat.lead = Some(match Stuck::ask(cx.waker()) {
                    Some((stuck, home)) => {
                        batch.home = Some(home);
                        Lead::Stuck(stuck)
                    }
                    None => {
                        batch.home = None;
                        cx.waker().wake_by_ref();
                        Lead::Round(batch.joined)
                    }
                });
                false
            }
            Some(Lead::Stuck(stuck)) => {
                let complete = stuck.has_come();
                // Polled outside the operation it began in, it cannot be told; then now is as good.
                complete || (moved && stuck.ask_again(cx.waker()).is_none())
            }
            Some(Lead::Round(counted)) if *counted == batch.joined => true,
            Some(Lead::Round(counted)) => {
                *counted = batch.joined;
                cx.waker().wake_by_ref();
                false
            }
        };
        if complete {
            let batch = seat.batch;
            state.send_off(batch, &this.shared);
        }
        Poll::Pending
    }
}

impl<K: Clone + Eq + Hash, V, E> Drop for Load<K, V, E> {
    fn drop(&mut self) {
        let Some(seat) = self.seat.take() else { return };
        let mut state = self.shared.state.lock();
        let Some(batch) = state.batches.get_mut(&seat.batch) else { return };
        batch.waiters -= 1;
        batch.wakers[seat.slot] = None;
        if batch.waiters == 0 {
            let given_up = state.give_up(seat.batch);
            // Its work must not end while the state is locked.
            drop(state);
            drop(given_up);
        } else if seat.lead.is_some() && batch.work.is_none() {
            batch.led = false;
            let heir = batch.wakers.iter().flatten().next().cloned();
            drop(state);
            if let Some(heir) = heir {
                heir.wake();
            }
        }
    }
}

impl<K: Clone + Eq + Hash, V, E> State<K, V, E> {
    /// Puts a new key into the open batch.
    fn enlist(&mut self, key: K) -> u64 {
        let id = *self.open.get_or_insert_with(|| {
            self.next_batch += 1;
            self.next_batch
        });
        let batch = self.batches.entry(id).or_default();
        batch.keys.push(key.clone());
        if batch.keys.len() >= MAX_BATCH {
            self.open = None;
        }
        self.entries.insert(key, Entry::Waiting(id));
        id
    }

    fn sit_down(&mut self, id: u64) -> Seat {
        let batch = self.batches.entry(id).or_default();
        batch.joined += 1;
        batch.waiters += 1;
        batch.wakers.push(None);
        Seat { batch: id, slot: batch.wakers.len() - 1, lead: None }
    }

    /// Forgets a batch nobody waits for, so that its keys can be asked for again.
    fn give_up(&mut self, id: u64) -> Option<Batch<K>> {
        let batch = self.batches.remove(&id)?;
        for key in &batch.keys {
            self.entries.remove(key);
        }
        if self.open == Some(id) {
            self.open = None;
        }
        Some(batch)
    }
}

impl<K, V, E> State<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    fn send_off(&mut self, id: u64, shared: &Arc<Shared<K, V, E>>) {
        if self.open == Some(id) {
            self.open = None;
        }
        let Some(batch) = self.batches.get_mut(&id) else { return };
        let keys = batch.keys.clone();
        if let Some(catalogue) = metrics::catalogue() {
            catalogue.batch_size.record(keys.len() as f64, &[]);
        }
        let mut duty =
            Duty { shared: Arc::clone(shared), batch: id, home: batch.home.take(), result: None };
        let call = async move {
            let result = (duty.shared.load)(keys).await;
            duty.result.replace(result);
        };
        batch.work = Some(scoped(call.in_current_span()));
    }
}

/// Held by a call: whatever ends it, its waiters get an answer.
struct Duty<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    shared: Arc<Shared<K, V, E>>,
    batch: u64,
    home: Option<Home>,
    result: Option<Result<Found<K, V, E>, E>>,
}

impl<K, V, E> Drop for Duty<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| Err((self.shared.panic_error)()));
        let (shared, batch) = (Arc::clone(&self.shared), self.batch);
        let hand_out = move || shared.settle(batch, result);
        match self.home.take() {
            Some(home) => home.deliver(Box::new(hand_out)),
            None => hand_out(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Shared<K, V, E> {
    /// Hands out what a call came to, unless it was given up.
    fn settle(&self, id: u64, mut result: Result<Found<K, V, E>, E>) {
        let mut state = self.state.lock();
        let Some(mut batch) = state.batches.remove(&id) else { return };
        for key in mem::take(&mut batch.keys) {
            let value = match &mut result {
                Ok((values, rest)) => match (values.remove(&key), rest) {
                    (None, Some(error)) => Err(error.clone()),
                    (value, _) => Ok(value),
                },
                Err(error) => Err(error.clone()),
            };
            state.entries.insert(key, Entry::Ready(value));
        }
        drop(state);
        batch.wakers.drain(..).flatten().for_each(Waker::wake);
    }
}
