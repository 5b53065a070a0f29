//! A room over the network: one lazy HTTP/2 connection that notices a lost peer by itself.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::Service;
use tower::util::BoxCloneSyncService;

use super::{Answer, BoxFuture, Context, Wire};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
// Without these a peer that vanished is never noticed (found in simulation).
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// An address that no room can be reached at.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an address such as http://host:port")]
pub struct BadAddress(String);

/// A room at an address such as `http://host:port`; connects when first called.
pub fn remote(address: &str) -> Result<Wire, BadAddress> {
    let bad = || BadAddress(address.to_owned());
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| bad())?;
    let uri = endpoint.uri();
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(bad());
    }
    let channel = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_lazy();
    Ok(BoxCloneSyncService::new(Context::new(Network { channel })))
}

/// Turns failures of the network into statuses, so that nobody above has to know two kinds of failure.
#[derive(Clone)]
struct Network {
    channel: Channel,
}

impl Service<Request<Body>> for Network {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Answer>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut channel = self.channel.clone();
        Box::pin(async move {
            let answer = match poll_fn(|cx| channel.poll_ready(cx)).await {
                Ok(()) => channel.call(request).await,
                Err(error) => Err(error),
            };
            Ok(answer.unwrap_or_else(|error| network_status(error).into_http()))
        })
    }
}

fn network_status(error: tonic::transport::Error) -> Status {
    let status = Status::from_error(Box::new(error));
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => {
            Status::deadline_exceeded("the deadline passed")
        }
        Code::Unknown | Code::Cancelled => Status::unavailable(status.message()),
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_must_name_a_host_and_a_scheme() {
        assert!(remote("http://127.0.0.1:1").is_ok());
        for address in ["", "member", "ftp://x", "http://"] {
            assert!(remote(address).is_err(), "{address}");
        }
    }
}
