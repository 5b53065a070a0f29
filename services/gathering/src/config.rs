//! What an operator may tune in this room.

use serde::{Deserialize, Serialize};

/// Knobs of the gathering room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest wait for the card of a member who starts or joins a gathering right after signing
    /// up, milliseconds; more than 3000 counts as 3000.
    pub card_wait_ms: u64,
    /// Most gatherings that one member may host, a number of gatherings.
    pub max_hosted: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { card_wait_ms: 2_000, max_hosted: 50 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_documented() {
        assert_eq!(Config::default(), Config { card_wait_ms: 2_000, max_hosted: 50 });
    }
}
