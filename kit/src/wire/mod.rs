//! One wire to every room, next door or over the network; both behave alike.
//!
//! From the outside in: the shield (`shield.rs` tells its order), the caller's half of a call (`context.rs`),
//! and the room itself, or one of its addresses (`balance.rs`) and the connection there (`endpoint.rs`).

mod answer;
mod balance;
mod breaker;
#[cfg(test)]
mod breaker_tests;
mod budget;
mod bulkhead;
mod class;
mod config;
mod context;
mod endpoint;
mod flight;
mod node;
mod remote;
mod retry;
mod shield;
mod stream;
mod verdict;
mod window;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use tonic::body::Body;
use tower::Service;
use tower::util::BoxCloneSyncService;

pub use config::{BreakerConfig, Config};
pub use endpoint::BadAddress;
pub use node::LEAVING;
pub use remote::{remote, remote_to};
pub use shield::shielded;

pub(crate) use class::Class;

use context::Context;

/// A way to call a room. Failures are gRPC statuses, so its error type is empty.
pub type Wire = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type Answer = Result<Response<Body>, Infallible>;

/// A room in this process: straight into its server, without a socket.
pub fn local<S>(server: S) -> Wire
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(Context::new(server))
}
