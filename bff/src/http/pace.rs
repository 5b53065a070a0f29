//! Connections that dawdle: headers that trickle, peers that neither ask nor leave, readers that do not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::serve::Limits;

/// What one connection has been doing; shared by its stream, its requests and its watch.
pub(super) struct Pace {
    state: Mutex<State>,
    header: Duration,
    idle: Duration,
    write: Duration,
}

struct State {
    /// Requests whose answer is not out yet.
    in_flight: u32,
    /// Since when nothing has been in flight.
    idle_since: Instant,
    /// When the first byte of a request came that has not arrived whole.
    head_since: Option<Instant>,
    /// Since when the peer has taken nothing of what is written.
    write_since: Option<Instant>,
    started: bool,
    /// HTTP/2 peers send frames of their own between requests, which begin no request.
    multiplexed: bool,
}

impl Pace {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let state = State {
            in_flight: 0,
            idle_since: Instant::now(),
            head_since: None,
            write_since: None,
            started: false,
            multiplexed: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            header: limits.header,
            idle: limits.idle,
            write: limits.write,
        })
    }

    /// A request arrived; it is in flight until the guard is dropped with its answer's body.
    pub(super) fn enter(self: &Arc<Self>) -> InFlight {
        let mut state = self.state.lock();
        state.in_flight += 1;
        state.head_since = None;
        InFlight(Arc::clone(self))
    }

    fn leave(&self) {
        let mut state = self.state.lock();
        state.in_flight -= 1;
        state.idle_since = Instant::now();
    }

    fn read(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        if !state.started {
            state.started = true;
            state.multiplexed = bytes.starts_with(b"PRI");
        }
        if state.in_flight == 0 && !state.multiplexed && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    fn wrote(&self, stuck: bool) {
        let mut state = self.state.lock();
        state.write_since =
            if stuck { state.write_since.or_else(|| Some(Instant::now())) } else { None };
    }

    /// When the connection will have dawdled for too long; None while only work is under way, which
    /// has deadlines of its own.
    fn deadline(&self) -> Option<Instant> {
        let state = self.state.lock();
        let write = state.write_since.map(|since| since + self.write);
        let other = match (state.in_flight, state.head_since) {
            (0, Some(since)) => Some(since + self.header),
            (0, None) => Some(state.idle_since + self.idle),
            _ => None,
        };
        write.into_iter().chain(other).min()
    }
}

/// A request whose answer is not out yet.
pub(super) struct InFlight(Arc<Pace>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.leave();
    }
}

pin_project! {
    /// Ready when the connection has dawdled; must be polled after the connection, on the same task,
    /// so that it sees what the connection just did.
    pub(super) struct Overdue {
        pace: Arc<Pace>,
        #[pin]
        sleep: Sleep,
    }
}

impl Overdue {
    pub(super) fn new(pace: Arc<Pace>) -> Self {
        let sleep = sleep_until(Instant::now() + pace.header.min(pace.idle));
        Self { pace, sleep }
    }
}

impl Future for Overdue {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            let now = Instant::now();
            let deadline = this.pace.deadline();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            // Moving a timer costs more than looking again when it fires, so it only moves forward.
            let look_again = deadline.unwrap_or_else(|| now + this.pace.idle);
            if look_again < this.sleep.deadline() {
                this.sleep.as_mut().reset(look_again);
            }
            ready!(this.sleep.as_mut().poll(cx));
            this.sleep.as_mut().reset(look_again.max(now + Duration::from_millis(1)));
        }
    }
}

pin_project! {
    /// A stream that tells its pace.
    pub(super) struct Paced<S> {
        #[pin]
        stream: S,
        pace: Arc<Pace>,
    }
}

impl<S> Paced<S> {
    pub(super) const fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }
}

impl<S: AsyncRead> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        let result = ready!(this.stream.poll_read(cx, buffer));
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            this.pace.read(bytes);
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite> AsyncWrite for Paced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let result = this.stream.poll_write(cx, bytes);
        this.pace.wrote(result.is_pending());
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let result = this.stream.poll_write_vectored(cx, slices);
        this.pace.wrote(result.is_pending());
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(cx)
    }
}
