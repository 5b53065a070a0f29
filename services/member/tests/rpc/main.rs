//! The member room over sockets, on both databases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod accounts;
mod log_ins;
mod processes;
mod profiles;
mod sessions;
mod stand;
mod tokens;
