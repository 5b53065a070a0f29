//! One topic: a bounded ring of the newest events, read by many at positions of their own.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::source::Event;

/// Events a topic keeps for readers that are behind; allocated as they come.
pub const RING: usize = 256;

/// What all readers of a topic share.
pub(super) struct Topic<R> {
    ring: Mutex<Ring<R>>,
    /// Position of the next event, for those who wait for it.
    next: watch::Sender<u64>,
    /// True once the room sends its events: nothing published later is missed.
    followed: watch::Sender<bool>,
}

struct Ring<R> {
    events: VecDeque<Arc<Event<R>>>,
    /// Position of the oldest.
    first: u64,
}

/// What stands at a position of a ring.
pub(super) enum At<R> {
    Event(Arc<Event<R>>),
    /// Nothing yet.
    End,
    /// It was there once.
    Gone,
}

impl<R> Topic<R> {
    pub(super) fn new(followed: bool) -> Self {
        Self {
            ring: Mutex::new(Ring { events: VecDeque::new(), first: 0 }),
            next: watch::Sender::new(0),
            followed: watch::Sender::new(followed),
        }
    }

    pub(super) fn push(&self, event: Arc<Event<R>>) {
        let mut ring = self.ring.lock();
        if ring.events.len() == RING {
            ring.events.pop_front();
            ring.first += 1;
        }
        ring.events.push_back(event);
        let next = ring.first + ring.events.len() as u64;
        self.next.send_replace(next);
    }

    pub(super) fn at(&self, position: u64) -> At<R> {
        let ring = self.ring.lock();
        let Some(index) = position.checked_sub(ring.first) else { return At::Gone };
        let event = usize::try_from(index).ok().and_then(|index| ring.events.get(index));
        event.map_or(At::End, |event| At::Event(event.clone()))
    }

    /// Position of what comes next.
    pub(super) fn next(&self) -> u64 {
        *self.next.borrow()
    }

    /// Returns once something stands at a position.
    pub(super) async fn reached(&self, position: u64) {
        // The sender lives as long as the topic does.
        let _ = self.next.subscribe().wait_for(|next| *next > position).await;
    }

    pub(super) fn follow(&self) {
        self.followed.send_replace(true);
    }

    /// Returns once the room sends the topic's events.
    pub(super) async fn followed(&self) {
        let _ = self.followed.subscribe().wait_for(|followed| *followed).await;
    }
}
