//! What an operator may change about schedules.

use serde::{Deserialize, Serialize};

/// Knobs of the schedule room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest wait for the card of a member who attends, milliseconds; then the client tries again.
    pub card_wait_ms: u64,
    /// Key that calendar links are signed with, 16 characters or more; when empty, one is made at the
    /// first start and kept in the room's database.
    pub calendar_key: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { card_wait_ms: 2_000, calendar_key: String::new() }
    }
}
