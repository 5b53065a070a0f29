//! What an operator may change about reviews: nothing yet.

use serde::{Deserialize, Serialize};

/// Knobs of the review room; it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}
