//! People: their profiles, accounts and sessions.

mod input;
mod mutation;
mod query;
pub mod types;

pub use input::clearable;
pub use mutation::MemberMutation;
pub use query::{MemberQuery, find_viewer};

/// Name of the service in coded errors.
pub const SERVICE: &str = "member";
