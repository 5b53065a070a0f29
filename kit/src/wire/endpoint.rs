//! A lazy HTTP/2 connection that notices a lost peer by itself, and does not outlive what was shown on it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tonic::transport::{Channel, Endpoint};

use crate::tls::{Connector, Shown, To};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
// Without these a peer that vanished is never noticed (found in simulation).
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Larger headers would end the connection and with it every call of a neighbour; rooms cut theirs far below.
const HEADER_BYTES: u32 = 64 * 1024;

/// An address that no room can be reached at.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// It is none.
    #[error("{0:?} is not an address such as http://host:port")]
    Form(String),
    /// Rooms that show certificates are at `https`, others are not.
    #[error("{0:?} must begin with {1}:// (tls.certificate_file decides)")]
    Scheme(String, &'static str),
}

/// How an address such as `http://host:port` is connected to; `https` where rooms show certificates.
pub(super) fn endpoint(address: &str, tls: Option<&To>) -> Result<Endpoint, BadAddress> {
    let bad = || BadAddress::Form(address.to_owned());
    let (scheme, rest) = address.split_once("://").ok_or_else(bad)?;
    let expected = if tls.is_some() { "https" } else { "http" };
    match scheme {
        "http" | "https" if scheme == expected => {}
        "http" | "https" => return Err(BadAddress::Scheme(address.to_owned(), expected)),
        _ => return Err(bad()),
    }
    // tonic would want to shake hands itself at https; our connector does.
    let endpoint = Endpoint::from_shared(format!("http://{rest}")).map_err(|_| bad())?;
    if endpoint.uri().host().is_none() {
        return Err(bad());
    }
    Ok(tuned(endpoint))
}

/// A way to one of the processes that the name in an address stands for; what is sent there still goes by the name.
pub(super) fn line_to(
    named: &Endpoint,
    at: SocketAddr,
    tls: Option<&To>,
) -> Result<Line, BadAddress> {
    let there = Endpoint::from_shared(format!("http://{at}"))
        .map_err(|_| BadAddress::Form(at.to_string()))?;
    Ok(Line::new(tuned(there).origin(named.uri().clone()), tls))
}

fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
}

/// A way to an address: connected when first called, and again after a loss.
///
/// Where rooms show certificates a connection is not kept for good: calls go over to a new one, and those under
/// way end on the old one. A peer that closes it first would fail the calls just then on their way.
#[derive(Clone)]
pub(super) struct Line(Arc<Way>);

struct Way {
    endpoint: Endpoint,
    tls: Option<To>,
    current: ArcSwap<Made>,
}

struct Made {
    channel: Channel,
    shown: Option<Shown>,
}

impl Line {
    pub(super) fn new(endpoint: Endpoint, tls: Option<&To>) -> Self {
        let current = ArcSwap::from_pointee(Made::new(&endpoint, tls));
        Self(Arc::new(Way { endpoint, tls: tls.cloned(), current }))
    }

    /// What the next call goes over.
    pub(super) fn channel(&self) -> Channel {
        let made = self.0.current.load();
        let Some((to, shown)) = self.0.tls.as_ref().zip(made.shown.as_ref()) else {
            return made.channel.clone();
        };
        if to.is_current(shown) {
            return made.channel.clone();
        }
        let fresh = Arc::new(Made::new(&self.0.endpoint, Some(to)));
        // Whoever comes at the same time may make another, which then is the one.
        self.0.current.store(fresh.clone());
        fresh.channel.clone()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(self.0.endpoint.uri()).finish()
    }
}

impl Made {
    fn new(endpoint: &Endpoint, tls: Option<&To>) -> Self {
        let channel = match tls {
            Some(to) => endpoint.connect_with_connector_lazy(Connector::new(to)),
            None => endpoint.connect_lazy(),
        };
        Self { channel, shown: tls.map(To::shown) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_name_a_host_and_a_scheme() {
        assert!(endpoint("http://127.0.0.1:1", None).is_ok());
        for address in ["", "member", "ftp://x", "http://", "https://127.0.0.1:1"] {
            assert!(endpoint(address, None).is_err(), "{address}");
        }
    }
}
