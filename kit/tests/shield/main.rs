//! A wire behind its shield, asked as rooms and endpoint ask it: from the outside, next door and through sockets.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod breaker;
mod deadline;
mod flight;
mod network;
mod places;
mod retry;
mod room;
