//! What an operator may change about wallets and orders.

use serde::{Deserialize, Serialize};

/// Knobs of the payment room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}
