//! What attendees thought of schedules.

pub mod connection;
mod input;
mod mutation;
pub mod types;

pub use mutation::ReviewMutation;

/// Name of the service in coded errors.
pub const SERVICE: &str = "review";
