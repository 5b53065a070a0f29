//! Prepaid money of the viewer, and the orders that pay for seats with it.

pub mod connection;
mod enums;
mod input;
mod mutation;
pub mod types;

pub use mutation::PaymentMutation;

/// Name of the service in coded errors.
pub const SERVICE: &str = "payment";
