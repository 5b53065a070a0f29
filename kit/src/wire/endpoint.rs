//! A lazy HTTP/2 connection that notices a lost peer by itself.

use std::time::Duration;

use tonic::transport::Endpoint;

const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
// Without these a peer that vanished is never noticed (found in simulation).
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

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
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
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
