//! Tells when an operation has gone as far as it can without an answer from elsewhere.
//!
//! Executors poll resolvers a few at a time and wake themselves to go on, so no resolver can tell from
//! its own polls whether its siblings have had theirs. The one who polls the whole operation can: as
//! long as it is woken while it is being polled, there is more to do; when it is not, every resolver
//! waits for something, and whoever asked for that moment is woken.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::stream::Stream;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use pin_project_lite::pin_project;

/// Polls in a row before other tasks get their turn.
const MAX_ROUNDS: usize = 64;

/// Whether the moment a waiter asked for has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Stuck(Arc<AtomicBool>);

/// What is polled on this thread, with those who wait for it.
struct Polled {
    root: Arc<Root>,
    waiting: Vec<Waiter>,
}

struct Waiter {
    stuck: Stuck,
    waker: Waker,
}

thread_local! {
    static POLLED: RefCell<Option<Polled>> = const { RefCell::new(None) };
}

impl Stuck {
    /// Wakes `waker` once the operation that is being polled has gone as far as it can; None when no
    /// operation is.
    pub(super) fn ask(waker: &Waker) -> Option<(Self, Home)> {
        let stuck = Self::default();
        stuck.ask_again(waker).map(|home| (stuck, home))
    }

    /// The same with another waker.
    pub(super) fn ask_again(&self, waker: &Waker) -> Option<Home> {
        POLLED.with_borrow_mut(|polled| {
            let polled = polled.as_mut()?;
            polled.waiting.push(Waiter { stuck: self.clone(), waker: waker.clone() });
            Some(Home(Arc::clone(&polled.root)))
        })
    }

    /// True from that moment on; whoever is polled earlier was woken for something else.
    pub(super) fn has_come(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The operation that a call was made for.
pub(super) struct Home(Arc<Root>);

impl Home {
    /// Has the operation itself do something before it goes on. Waiters that another thread wakes one
    /// by one go on one by one; those woken from here all go on in the same round, as one level.
    pub(super) fn deliver(&self, job: Job) {
        let refused = match &mut *self.0.mail.lock() {
            Some(mail) => {
                mail.push(job);
                None
            }
            None => Some(job),
        };
        match refused {
            None => self.0.wake_by_ref(),
            // It is over, but its loaders may still serve others.
            Some(job) => job(),
        }
    }
}

pin_project! {
    /// An operation whose loaders send a level off when it is complete.
    pub struct Rounds<T> {
        #[pin]
        inner: T,
        root: Lifeline,
        waiting: Vec<Waiter>,
    }
}

/// Runs a whole operation, or a stream of them; must stand around everything that shares a loader.
pub fn rounds<T>(inner: T) -> Rounds<T> {
    let root = Root { mail: Mutex::new(Some(Vec::new())), ..Root::default() };
    Rounds { inner, root: Lifeline(Arc::new(root)), waiting: Vec::new() }
}

impl<T> fmt::Debug for Rounds<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rounds")
    }
}

impl<F: Future> Future for Rounds<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        drive(&this.root.0, this.waiting, cx, |cx| this.inner.as_mut().poll(cx))
    }
}

impl<S: Stream> Stream for Rounds<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        drive(&this.root.0, this.waiting, cx, |cx| this.inner.as_mut().poll_next(cx))
    }
}

fn drive<T>(
    root: &Arc<Root>,
    waiting: &mut Vec<Waiter>,
    cx: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    root.outer.register(cx.waker());
    let waker = Waker::from(Arc::clone(root));
    for _ in 0..MAX_ROUNDS {
        root.state.store(POLLING, Ordering::SeqCst);
        let mail = root.mail.lock().as_mut().map(mem::take).unwrap_or_default();
        mail.into_iter().for_each(|job| job());
        let polled = {
            let _collecting = Collecting::start(root, waiting);
            poll(&mut Context::from_waker(&waker))
        };
        if polled.is_ready() {
            return polled;
        }
        if root.state.load(Ordering::SeqCst) == POLLING {
            for waiter in waiting.drain(..) {
                waiter.stuck.0.store(true, Ordering::Release);
                waiter.waker.wake();
            }
        }
        let at_rest =
            root.state.compare_exchange(POLLING, RESTING, Ordering::SeqCst, Ordering::SeqCst);
        if at_rest.is_ok() {
            return Poll::Pending;
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

const RESTING: u8 = 0;
const POLLING: u8 = 1;
const WOKEN: u8 = 2;

#[derive(Default)]
struct Root {
    state: AtomicU8,
    outer: AtomicWaker,
    /// None once the operation is over.
    mail: Mutex<Option<Vec<Job>>>,
}

/// Wakes the task of an operation, but only when it is not being polled anyway.
impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::SeqCst) == RESTING {
            self.outer.wake();
        }
    }
}

/// Ends an operation's mail with the operation.
struct Lifeline(Arc<Root>);

impl Drop for Lifeline {
    fn drop(&mut self) {
        let mail = self.0.mail.lock().take().unwrap_or_default();
        mail.into_iter().for_each(|job| job());
    }
}

/// Keeps an operation where [`Stuck::ask`] finds it, and takes its waiters back also after a panic.
struct Collecting<'a> {
    home: &'a mut Vec<Waiter>,
    /// The operation around this one.
    outer: Option<Polled>,
}

impl<'a> Collecting<'a> {
    fn start(root: &Arc<Root>, home: &'a mut Vec<Waiter>) -> Self {
        let polled = Polled { root: Arc::clone(root), waiting: mem::take(home) };
        Self { home, outer: POLLED.replace(Some(polled)) }
    }
}

impl Drop for Collecting<'_> {
    fn drop(&mut self) {
        let polled = POLLED.replace(self.outer.take());
        *self.home = polled.map(|polled| polled.waiting).unwrap_or_default();
    }
}
