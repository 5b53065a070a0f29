//! Gatherings, who belongs to them, and where they are.

pub mod connection;
mod enums;
mod input;
mod mutation;
mod query;
pub mod types;

pub use enums::{Category, MembershipRole, MembershipStatus};
pub use mutation::GatheringMutation;
pub use query::GatheringQuery;

/// Name of the service in coded errors.
pub const SERVICE: &str = "gathering";
