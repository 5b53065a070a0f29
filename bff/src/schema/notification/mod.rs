//! What members should know.

pub mod connection;
mod enums;
mod input;
mod mutation;
mod subscription;
pub mod types;

pub use mutation::NotificationMutation;
pub use subscription::NotificationSubscription;

/// Name of the service in coded errors.
pub const SERVICE: &str = "notification";
