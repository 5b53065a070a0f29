//! Who comes to a room's socket: so many at once, each with a certificate when rooms show one, and greeting in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use moim_kit::frames::Watched;
use moim_kit::task::Tasks;
use moim_kit::tls::{Names, Tls};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::turned_away;
use crate::config::Limits;

/// Those who are let in and not yet taken over.
const WAITING: usize = 16;
/// After a failure such as a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What a call tells of the connection it came over.
#[derive(Clone)]
pub(super) struct Peer {
    /// Who is there, when rooms show certificates.
    pub names: Option<Names>,
    /// Calls it may make at once.
    pub calls: Arc<Semaphore>,
}

/// One who was let in.
pub(super) struct Guest {
    line: Watched<Line>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
}

type Line = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Lets guests in until the tasks are told to stop.
///
/// tonic's own acceptor keeps one certificate for good, shakes hands with any number at once, and tries again without
/// a pause when it cannot accept.
pub(super) fn guests(
    listener: TcpListener,
    room: &'static str,
    tls: Option<Arc<Tls>>,
    limits: &Limits,
    tasks: &Tasks,
) -> ReceiverStream<io::Result<Guest>> {
    let (sender, guests) = mpsc::channel(WAITING);
    let hall = Arc::new(Hall { room, tls, limits: limits.clone(), sender });
    let places = Arc::new(Semaphore::new(limits.connections));
    let (accepting, stopping) = (tasks.clone(), tasks.token());
    tasks.spawn("room door", async move {
        let accept = async || {
            loop {
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, room, "a connection could not be accepted");
                        sleep(PAUSE).await;
                        continue;
                    }
                };
                match places.clone().try_acquire_owned() {
                    Ok(place) => {
                        let hall = hall.clone();
                        accepting.spawn("room guest", async move {
                            hall.let_in(stream, place).await;
                        });
                    }
                    Err(_) => turned_away(room, "connections"),
                }
            }
        };
        stopping.run_until_cancelled(accept()).await;
        // The system has let them in already.
        let _ = timeout(Duration::ZERO, accept()).await;
    });
    ReceiverStream::new(guests)
}

struct Hall {
    room: &'static str,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    sender: mpsc::Sender<io::Result<Guest>>,
}

impl Hall {
    async fn let_in(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers of this connection may wait for more");
        }
        let patience = Duration::from_millis(self.limits.greeting_timeout_ms);
        let (line, names): (Line, _) = match &self.tls {
            None => (Box::new(stream), None),
            Some(tls) => match timeout(patience, tls.accept(stream)).await {
                Ok(Ok((stream, names))) => (Box::new(stream), Some(names)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, room = self.room, "a handshake failed");
                    return;
                }
                Err(_) => return turned_away(self.room, "handshake"),
            },
        };
        let calls = Arc::new(Semaphore::new(self.limits.calls_per_connection));
        let line = Watched::new(line, Some(patience));
        let guest = Guest { line, peer: Peer { names, calls }, _place: place };
        // Nobody takes it when the room is stopping.
        let _ = self.sender.send(Ok(guest)).await;
    }
}

impl Connected for Guest {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.line.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}
