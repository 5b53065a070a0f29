//! A lazy HTTP/2 connection that notices a lost peer by itself.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
// Without these a peer that vanished is never noticed (found in simulation).
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Larger headers would end the connection and with it every call of a neighbour; rooms cut theirs far below.
const HEADER_BYTES: u32 = 64 * 1024;

/// An address that no room can be reached at.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an address such as http://host:port")]
pub struct BadAddress(String);

/// How an address such as `http://host:port` is connected to.
pub(super) fn endpoint(address: &str) -> Result<Endpoint, BadAddress> {
    let bad = || BadAddress(address.to_owned());
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| bad())?;
    let uri = endpoint.uri();
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(bad());
    }
    Ok(tuned(endpoint))
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

/// A connection to one of the processes that the name in an address stands for; what is sent there and
/// whoever must answer there still goes by the name.
pub(super) fn connect_to(named: &Endpoint, at: SocketAddr) -> Result<Channel, BadAddress> {
    let scheme = named.uri().scheme_str().unwrap_or("http");
    let there = format!("{scheme}://{at}");
    let there = Endpoint::from_shared(there.clone()).map_err(|_| BadAddress(there))?;
    Ok(tuned(there).origin(named.uri().clone()).connect_lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_name_a_host_and_a_scheme() {
        assert!(endpoint("http://127.0.0.1:1").is_ok());
        for address in ["", "member", "ftp://x", "http://"] {
            assert!(endpoint(address).is_err(), "{address}");
        }
    }
}
