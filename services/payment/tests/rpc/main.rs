//! The payment room through its public face: gRPC over sockets, on both databases.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod late;
mod lists;
mod races;
mod seats;
mod stage;
mod top_ups;
mod webhooks;
