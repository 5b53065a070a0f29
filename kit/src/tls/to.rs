//! Connecting to a room that shows who it is.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tower::Service;

use super::papers::{Stamp, server_name};
use super::{Tls, Unfit};
use crate::wire::BoxFuture;

/// A room by the name it must show.
#[derive(Clone)]
pub struct To {
    tls: Arc<Tls>,
    name: ServerName<'static>,
}

impl To {
    pub(super) fn try_new(tls: Arc<Tls>, room: &str) -> Result<Self, Unfit> {
        Ok(Self { tls, name: server_name(room)? })
    }

    /// What a connection made now shows.
    pub(crate) fn shown(&self) -> Shown {
        Shown { stamp: self.tls.papers.load().stamp, at: Instant::now() }
    }

    /// True while a connection on which this was shown needs no successor.
    pub(crate) fn is_current(&self, shown: &Shown) -> bool {
        let age = Duration::from_millis(self.tls.config.renew_ms);
        shown.stamp == self.tls.papers.load().stamp && shown.at.elapsed() < age
    }

    pub(super) fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }
}

impl fmt::Debug for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("To").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What was shown on a connection, and when.
pub(crate) struct Shown {
    stamp: Stamp,
    at: Instant,
}

/// Makes connections to it, each with what the process shows at that moment.
#[derive(Clone)]
pub(crate) struct Connector(To);

impl Connector {
    pub(crate) fn new(to: &To) -> Self {
        Self(to.clone())
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = BoxFuture<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let to = self.0.clone();
        Box::pin(async move {
            let host = address.host().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let port = address.port_u16().unwrap_or(443);
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(to.tls.connect(stream, &to).await?))
        })
    }
}
