//! A room over the network.

use futures::FutureExt as _;
use tower::service_fn;

use super::balance::Balance;
use super::endpoint::BadAddress;
use super::{Context, Wire};
use crate::tls::To;

/// A room at an address such as `http://host:port`, or at several with commas between; each may stand for
/// several processes by its name. Connects when first called.
pub fn remote(addresses: &str) -> Result<Wire, BadAddress> {
    remote_to(addresses, None)
}

/// The same; a room that shows certificates is at addresses such as `https://host:port`.
pub fn remote_to(addresses: &str, tls: Option<&To>) -> Result<Wire, BadAddress> {
    let balance = Balance::try_new(addresses, tls)?;
    let send = service_fn(move |request| balance.clone().send(request).map(Ok));
    Ok(Wire::new(Context::new(send)))
}
