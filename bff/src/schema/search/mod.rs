//! Finding gatherings, schedules and members.

mod enums;
mod input;
mod query;
pub mod types;

pub use enums::SearchKind;
pub use query::{SearchQuery, Voter};

/// Name of the service in coded errors.
pub const SERVICE: &str = "search";
