//! What an operator may tune in this room.

use serde::{Deserialize, Serialize};

/// Knobs of the search room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What has changed becomes findable after so long, milliseconds.
    pub commit_ms: u64,
    /// A search counts half as much for popular terms after so long, milliseconds.
    pub popular_half_life_ms: u64,
    /// One voice per person and term in each of these, milliseconds; places are compared as often.
    pub popular_window_ms: u64,
    /// File of synonyms in place of those that come along; empty for those.
    pub synonyms_file: String,
    /// File of hobby terms in place of those that come along; empty for those.
    pub hobbies_file: String,
    /// File of words kept out of popular terms in place of those that come along; empty for those.
    pub abusive_file: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            commit_ms: 500,
            popular_half_life_ms: 6 * 3_600 * 1_000,
            popular_window_ms: 3_600 * 1_000,
            synonyms_file: String::new(),
            hobbies_file: String::new(),
            abusive_file: String::new(),
        }
    }
}
