//! The member room over sockets, on both databases.

mod accounts;
mod log_ins;
mod processes;
mod profiles;
mod sessions;
mod stand;
mod tokens;
