//! Schedules, their seats and the line for them.

pub mod connection;
mod enums;
mod input;
mod mutation;
pub mod types;

pub use enums::AttendanceState;
pub use mutation::ScheduleMutation;

/// Name of the service in coded errors.
pub const SERVICE: &str = "schedule";
