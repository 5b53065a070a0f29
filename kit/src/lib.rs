//! What every room carries, and nothing of any domain.

pub mod base;
pub mod bus;
pub mod call;
pub mod clock;
pub mod config;
pub mod fault;
pub mod frames;
pub mod id;
pub mod metrics;
pub mod page;
mod revoked;
pub mod seen;
pub mod serve;
pub mod shared;
pub mod task;
pub mod telemetry;
pub mod text;
pub mod tls;
pub mod token;
pub mod trace;
pub mod wire;

pub use base::Base;
pub use call::{Call, Caller};
pub use clock::{Clock, Timestamp};
pub use fault::{Code, Fault};
pub use id::Id;
