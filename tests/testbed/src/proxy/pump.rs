//! Bytes on their way in one direction, as the way is bent at each moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Course, Mode};

const CHUNK_BYTES: usize = 16 * 1024;
/// Small enough that a slow way is slow from the first bytes on.
const SLOW_CHUNK_BYTES: usize = 64;
const CHUNKS_ON_THEIR_WAY: usize = 256;

/// The connection is to be cut.
#[derive(Debug)]
pub(super) struct Torn;

/// One direction of a connection.
#[derive(Clone, Default)]
pub(super) struct Side {
    answers: bool,
    deafened: Arc<AtomicBool>,
}

impl Side {
    pub fn questions(&self) -> Self {
        Self { answers: false, ..self.clone() }
    }

    pub fn answers(&self) -> Self {
        Self { answers: true, ..self.clone() }
    }

    fn swallows(&self, mode: &Mode, bytes: &[u8]) -> bool {
        match mode {
            Mode::Deaf => self.answers,
            Mode::Mute => !self.answers,
            Mode::DeafFrom(_) if self.answers => self.deafened.load(Ordering::SeqCst),
            Mode::DeafFrom(pattern) => {
                if bytes.windows(pattern.len()).any(|window| window == *pattern) {
                    self.deafened.store(true, Ordering::SeqCst);
                }
                false
            }
            _ => false,
        }
    }

    /// After how many bytes of answers this connection is cut.
    fn limit(&self, mode: &Mode) -> Option<usize> {
        match mode {
            Mode::Cut(limit) if self.answers => Some(*limit),
            _ => None,
        }
    }
}

/// Passes on what is read until its end; an error when the connection is to be cut.
pub(super) async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    side: Side,
    mut seen: watch::Receiver<Course>,
) -> Result<(), Torn> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_ON_THEIR_WAY);
    let reading = async move {
        // Ours alone, so that its end is the writer's.
        let sender = sender;
        let mut buffer = vec![0; CHUNK_BYTES];
        let (mut passed, mut last_due) = (0, Instant::now());
        loop {
            let mode = seen.borrow_and_update().mode.clone();
            if mode == Mode::Hang {
                seen.changed().await.map_err(|_| Torn)?;
                continue;
            }
            let slow = matches!(mode, Mode::Slow(_)) && side.answers;
            let most = if slow { SLOW_CHUNK_BYTES } else { CHUNK_BYTES };
            let read = tokio::select! {
                read = from.read(&mut buffer[..most]) => read.map_err(|_| Torn)?,
                changed = seen.changed() => {
                    changed.map_err(|_| Torn)?;
                    continue;
                }
            };
            if read == 0 {
                return Ok(());
            }
            let mut bytes = &buffer[..read];
            if side.swallows(&mode, bytes) {
                continue;
            }
            let limit = side.limit(&mode);
            let torn = limit.is_some_and(|limit| passed + read >= limit);
            if let Some(limit) = limit.filter(|_| torn) {
                bytes = &bytes[..limit - passed];
            }
            // What passed before connections were cut does not count.
            passed = if limit.is_some() { passed + bytes.len() } else { 0 };
            let now = Instant::now();
            last_due = match mode {
                Mode::Late(lateness) if side.answers => now + lateness,
                Mode::Slow(bytes_per_second) if side.answers => {
                    let pace = Duration::from_secs(1) * u32::try_from(read).map_err(|_| Torn)?;
                    last_due.max(now) + pace / bytes_per_second
                }
                _ => now,
            }
            // Whatever was late or slow before, bytes stay in order.
            .max(last_due);
            if sender.send((last_due, bytes.to_vec())).await.is_err() || torn {
                return Err(Torn);
            }
        }
    };
    let writing = async {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            to.write_all(&bytes).await.map_err(|_| Torn)?;
        }
        let _ = to.shutdown().await;
        Ok(())
    };
    // Not cut at the first error: what was read before it is written first.
    let (read, written) = tokio::join!(reading, writing);
    read.and(written)
}
