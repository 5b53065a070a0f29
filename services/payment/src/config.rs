//! What an operator may change about wallets and orders.

use serde::{Deserialize, Serialize};

use crate::toss;

/// Knobs of the payment room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who takes the money: `sandbox`, which takes none, or `toss`.
    pub provider: String,
    /// Signs webhooks of the sandbox; empty: one made at each start.
    pub sandbox_secret: String,
    /// Most money a wallet may hold by topping up, KRW.
    pub largest_balance_krw: i64,
    /// Longest wait for the provider while a member waits, milliseconds.
    pub top_up_wait_ms: u64,
    /// A top-up not decided for so long is cancelled, milliseconds.
    pub top_up_limit_ms: u64,
    /// Most undecided top-ups of one member.
    pub pending_top_ups: i64,
    /// How often orders and top-ups are looked at when nothing wakes the room, milliseconds.
    pub poll_ms: u64,
    /// An order is released so long after its seat's hold has ended in silence, milliseconds.
    pub silence_ms: u64,
    /// How often the ledger is checked, milliseconds.
    pub audit_every_ms: u64,
    /// Toss Payments, when it takes the money.
    pub toss: toss::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            provider: "sandbox".to_owned(),
            sandbox_secret: String::new(),
            largest_balance_krw: 2_000_000,
            top_up_wait_ms: 3_000,
            top_up_limit_ms: 600_000,
            pending_top_ups: 3,
            poll_ms: 500,
            silence_ms: 30_000,
            audit_every_ms: 60_000,
            toss: toss::Config::default(),
        }
    }
}

impl Config {
    /// What must not be shown.
    pub fn secrets(&mut self) -> [&mut String; 3] {
        let toss = &mut self.toss;
        [&mut self.sandbox_secret, &mut toss.secret_key, &mut toss.webhook_secret]
    }
}
