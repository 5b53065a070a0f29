//! What members of a gathering say to each other.

pub mod connection;
mod input;
mod mutation;
mod subscription;
pub mod types;

pub use mutation::ChatMutation;
pub use subscription::ChatSubscription;

/// Name of the service in coded errors.
pub const SERVICE: &str = "chat";
