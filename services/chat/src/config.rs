//! What an operator may change about chat.

use serde::{Deserialize, Serialize};

/// Knobs of the chat room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest wait for the card of a member who writes right after signing up, milliseconds.
    pub card_wait_ms: u64,
    /// Most messages a live reader may be behind and still be told what it missed, a number of messages.
    pub resume_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { card_wait_ms: 2_000, resume_limit: 10_000 }
    }
}
