//! A room over the network.

use super::balance::Balance;
use super::endpoint::BadAddress;
use super::{Context, Wire};

/// A room at an address such as `http://host:port`, or at several with commas between; each may stand for
/// several processes by its name. Connects when first called.
pub fn remote(addresses: &str) -> Result<Wire, BadAddress> {
    Ok(Wire::new(Context::new(Balance::try_new(addresses)?)))
}
