//! Watches the frames that a peer sends over HTTP/2: who floods with those that carry nothing is cut off, and who
//! never greets too.
//!
//! The library answers such frames one by one and keeps no line of them, so that memory stays flat; but nothing ends
//! them, and each costs work. A peer may send a burst, so many a second, and more as it is sent more: it then has
//! windows to open.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
/// Frames that carry nothing, at once.
const BURST: f64 = 2_000.0;
/// And a second in the long run: calls that are given up, pings, windows.
const PER_SECOND: f64 = 400.0;
/// One more is earned for so many bytes that are sent to the peer, or that it sends as data.
const BYTES_EACH: f64 = 1_024.0;

pin_project! {
    /// A stream whose peer is watched; what is not HTTP/2 passes.
    pub struct Watched<S> {
        #[pin]
        stream: S,
        frames: Frames,
        greeting: Option<Pin<Box<Sleep>>>,
    }
}

impl<S> Watched<S> {
    /// Watches what comes from `stream`; with a limit, HTTP/2 must be begun within it.
    pub fn new(stream: S, greeting: Option<Duration>) -> Self {
        Self {
            stream,
            frames: Frames::new(Instant::now()),
            greeting: greeting.map(|it| Box::pin(sleep(it))),
        }
    }
}

/// Where in the stream of frames a peer is, and what it may still send.
#[derive(Debug)]
struct Frames {
    at: At,
    left: f64,
    counted: Instant,
}

#[derive(Debug)]
enum At {
    Preface(usize),
    Head([u8; HEAD], usize),
    Payload(usize),
    /// Another protocol, which has limits of its own.
    Elsewhere,
}

impl Frames {
    fn new(now: Instant) -> Self {
        Self { at: At::Preface(0), left: BURST, counted: now }
    }

    fn has_greeted(&self) -> bool {
        !matches!(self.at, At::Preface(_))
    }

    fn earn(&mut self, bytes: usize) {
        #[allow(clippy::cast_precision_loss, reason = "buffers are far smaller")]
        let earned = bytes as f64 / BYTES_EACH;
        self.left = (self.left + earned).min(BURST);
    }

    /// False once the peer has sent too much that carries nothing.
    fn read(&mut self, mut bytes: &[u8], now: Instant) -> bool {
        while let [first, rest @ ..] = bytes {
            match &mut self.at {
                At::Elsewhere => return true,
                At::Preface(met) => {
                    if PREFACE.get(*met) != Some(first) {
                        self.at = At::Elsewhere;
                        return true;
                    }
                    *met += 1;
                    if *met == PREFACE.len() {
                        self.at = At::Head([0; HEAD], 0);
                    }
                    bytes = rest;
                }
                At::Head(head, got) => {
                    if let Some(byte) = head.get_mut(*got) {
                        *byte = *first;
                    }
                    *got += 1;
                    bytes = rest;
                    if *got == HEAD {
                        let head = *head;
                        if !self.count(head, now) {
                            return false;
                        }
                    }
                }
                At::Payload(left) => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    bytes = bytes.get(taken..).unwrap_or_default();
                    if *left == 0 {
                        self.at = At::Head([0; HEAD], 0);
                    }
                }
            }
        }
        true
    }

    fn count(&mut self, head: [u8; HEAD], now: Instant) -> bool {
        let [high, middle, low, kind, flags, ..] = head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.at = if length == 0 { At::Head([0; HEAD], 0) } else { At::Payload(length) };
        match kind {
            HEADERS => true,
            DATA if length > 0 || flags & END_STREAM != 0 => {
                self.earn(length);
                true
            }
            _ => {
                let passed = now.saturating_duration_since(self.counted).as_secs_f64();
                self.counted = now;
                self.left = (self.left + passed * PER_SECOND).min(BURST) - 1.0;
                self.left >= 0.0
            }
        }
    }
}

impl<S: AsyncRead> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = this.stream.poll_read(cx, buffer) {
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            if !this.frames.read(bytes, Instant::now()) {
                return Poll::Ready(Err(io::Error::other("too many frames that carry nothing")));
            }
            if this.frames.has_greeted() {
                *this.greeting = None;
            }
            return Poll::Ready(result);
        }
        let Some(greeting) = this.greeting else { return Poll::Pending };
        ready!(greeting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no greeting came")))
    }
}

impl<S: AsyncWrite> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = ready!(this.stream.poll_write(cx, bytes))?;
        this.frames.earn(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = ready!(this.stream.poll_write_vectored(cx, slices))?;
        this.frames.earn(written);
        Poll::Ready(Ok(written))
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

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn greeted(now: Instant) -> Frames {
        let mut frames = Frames::new(now);
        assert!(frames.read(PREFACE, now) && frames.has_greeted());
        frames
    }

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let now = Instant::now();
        let mut frames = greeted(now);
        assert!((0..2_000).all(|_| frames.read(&PING, now)));
        assert!(!frames.read(&PING, now));
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let now = Instant::now();
        let mut frames = greeted(now);
        let flood: Vec<u8> = PING.into_iter().cycle().take(17 * 2_000).collect();
        assert!(flood.chunks(7).all(|piece| frames.read(piece, now)));
        assert!(!frames.read(&PING, now));
    }

    #[test]
    fn time_and_what_is_sent_to_a_peer_give_it_more() {
        let now = Instant::now();
        let mut frames = greeted(now);
        assert!((0..2_000).all(|_| frames.read(&PING, now)));
        assert!(frames.read(&PING, now + Duration::from_secs(1)));
        frames.left = 0.0;
        frames.earn(10 * 1_024);
        assert!((0..10).all(|_| frames.read(&PING, now)));
        assert!(!frames.read(&PING, now));
    }

    #[test]
    fn data_is_no_flood_and_empty_data_is() {
        let now = Instant::now();
        let mut frames = greeted(now);
        let full = [&[0, 0, 3, DATA, 0, 0, 0, 0, 1][..], b"abc"].concat();
        assert!((0..9_000).all(|_| frames.read(&full, now)));
        let empty = [0, 0, 0, DATA, 0, 0, 0, 0, 1];
        assert!((0..9_000).any(|_| !frames.read(&empty, now)));
    }

    #[test]
    fn another_protocol_passes() {
        let now = Instant::now();
        let mut frames = Frames::new(now);
        assert!((0..9_000).all(|_| frames.read(b"GET / HTTP/1.1\r\n\r\n", now)));
        assert!(frames.has_greeted());
    }
}
