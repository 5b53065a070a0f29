//! A room over the network.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;
use tower::util::BoxCloneSyncService;

use super::endpoint::{BadAddress, Line, endpoint};
use super::{Answer, BoxFuture, Context, Wire};
use crate::tls::To;

/// A room at an address such as `http://host:port`; connects when first called.
pub fn remote(address: &str) -> Result<Wire, BadAddress> {
    remote_to(address, None)
}

/// The same; a room that shows certificates is at an address such as `https://host:port`.
pub fn remote_to(address: &str, tls: Option<&To>) -> Result<Wire, BadAddress> {
    let line = Line::new(endpoint(address, tls)?, tls);
    Ok(BoxCloneSyncService::new(Context::new(Network { line })))
}

/// Turns failures of the network into statuses, so that nobody above has to know two kinds of failure.
#[derive(Clone)]
struct Network {
    line: Line,
}

impl Service<Request<Body>> for Network {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Answer>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut channel = self.line.channel();
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
