//! What an operator may tune in this room.

use serde::{Deserialize, Serialize};

/// Knobs of the notification room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Notifications are kept so long, days.
    pub kept_days: u32,
    /// Who goes to a schedule is reminded so long before its start, milliseconds.
    pub reminder_lead_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { kept_days: 90, reminder_lead_ms: 24 * 3_600 * 1_000 }
    }
}
