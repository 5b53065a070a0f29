//! What an operator may set of this room.

use std::path::PathBuf;
use std::time::Duration;

use moim_kit::{Code, Fault};
use serde::{Deserialize, Serialize};

use crate::model::Limit;
use crate::session::Lifetimes;

/// Knobs of the member room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Life of an access token, seconds.
    pub access_token_s: u64,
    /// A session not refreshed for so long ends, seconds.
    pub session_idle_s: u64,
    /// A session ends so long after it was opened, seconds.
    pub session_at_most_s: u64,
    /// A spent refresh token may come again so long after it was spent, because its answer was
    /// lost; later it ends the session. Milliseconds.
    pub refresh_grace_ms: u64,
    /// Failed log-ins of one account within the window before more are refused.
    pub log_in_failures: u32,
    /// The window in which failed log-ins are counted, seconds.
    pub log_in_window_s: u64,
    /// Passwords hashed at once.
    pub hashing_threads: u32,
    /// Passwords that may wait to be hashed; beyond that `HASHING_BUSY` at once.
    pub hashing_queue: u32,
    /// Memory of one argon2id hash, KiB.
    pub hashing_memory_kib: u32,
    /// Passes of argon2id over its memory.
    pub hashing_passes: u32,
    /// Lanes of argon2id.
    pub hashing_lanes: u32,
    /// File with the Ed25519 key that signs access tokens: PKCS#8 PEM, or a seed of 32 bytes in
    /// base64. Empty: a key made at the first start and kept in the database.
    pub signing_key_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            access_token_s: 300,
            session_idle_s: 14 * 24 * 3_600,
            session_at_most_s: 30 * 24 * 3_600,
            refresh_grace_ms: 10_000,
            log_in_failures: 5,
            log_in_window_s: 15 * 60,
            hashing_threads: 2,
            hashing_queue: 64,
            hashing_memory_kib: 19_456,
            hashing_passes: 2,
            hashing_lanes: 1,
            signing_key_file: PathBuf::new(),
        }
    }
}

impl Config {
    /// Refuses what no room could stand on.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let counts = [
            ("access_token_s", self.access_token_s),
            ("session_idle_s", self.session_idle_s),
            ("session_at_most_s", self.session_at_most_s),
            ("log_in_failures", self.log_in_failures.into()),
            ("log_in_window_s", self.log_in_window_s),
            ("hashing_threads", self.hashing_threads.into()),
        ];
        match counts.iter().find(|(_, value)| *value == 0) {
            Some((knob, _)) => Err(refused(format!("member.{knob} must not be 0"))),
            None => Ok(()),
        }
    }

    pub(crate) fn limit(&self) -> Limit {
        let window = Duration::from_secs(self.log_in_window_s);
        Limit { failures: self.log_in_failures, window }
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            access: Duration::from_secs(self.access_token_s),
            idle: Duration::from_secs(self.session_idle_s),
            at_most: Duration::from_secs(self.session_at_most_s),
            grace: Duration::from_millis(self.refresh_grace_ms),
        }
    }
}

/// Why the room does not start, in one sentence.
pub(crate) fn refused(sentence: String) -> Fault {
    Fault::new(Code::Invalid, "CONFIG_INVALID", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_that_cannot_be_is_named() {
        assert!(Config::default().check().is_ok());
        let config = Config { hashing_threads: 0, ..Config::default() };
        let fault = config.check().unwrap_err();
        assert!(fault.message(false).contains("hashing_threads"), "{fault}");
    }
}
