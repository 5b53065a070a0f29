//! Rooms defend themselves at their own sockets, and the endpoint at its own: whoever comes straight to them.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod callers;
mod certificates;
mod floods;
mod frames;
mod room;
mod sizes;
mod tokens;
