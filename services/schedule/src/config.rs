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
    /// How long a seat is held while its price is taken, milliseconds.
    pub hold_ms: u64,
    /// How long a freed seat is offered to the first in line, milliseconds; never beyond the start.
    pub offer_ms: u64,
    /// How often holds and offers are looked through for those that have ended, milliseconds.
    pub sweep_every_ms: u64,
    /// How long signing up for a paid seat waits for the payment, milliseconds; then the answer says that
    /// it is pending.
    pub pay_wait_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            card_wait_ms: 2_000,
            calendar_key: String::new(),
            hold_ms: 30_000,
            offer_ms: 3_600_000,
            sweep_every_ms: 500,
            pay_wait_ms: 2_000,
        }
    }
}
