//! The platform as one program: its configuration, its rooms, and the town to play in.

mod callers;
pub mod cli;
pub mod config;
mod explain;
mod facts;
mod healthy;
pub mod house;
mod keys;
mod late;
pub mod live;
mod metrics;
mod migrate;
mod reach;
mod site;
mod socket;
pub mod town;
mod welcome;

pub use config::Config;
pub use house::{House, Plan};
