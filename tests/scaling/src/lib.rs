//! A week of a house of any size, from what was measured of a small one: loads, queues, what gives way first.

pub mod inputs;
pub mod limits;
pub mod network;
pub mod queue;
pub mod random;
pub mod report;
pub mod rush;
pub mod stations;
pub mod traffic;
