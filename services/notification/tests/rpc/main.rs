//! The notification room through its public face: gRPC over sockets, on both databases.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod lists;
mod money;
mod reminders;
mod rules;
mod stage;
