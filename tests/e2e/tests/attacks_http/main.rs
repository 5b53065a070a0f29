//! Attacks by HTTP, by token and by socket: each is turned away, changes nothing, and costs nobody else anything.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at once")]

mod amounts;
mod bodies;
mod fetches;
mod forged;
mod framing;
mod logs;
mod pages;
#[path = "../matrix/scene.rs"]
#[allow(dead_code, reason = "the matrix needs more of it")]
mod scene;
mod seats;
mod sessions;
mod sockets;
mod victim;
#[path = "../bad_input/wire.rs"]
#[allow(dead_code, reason = "others need more of it")]
mod wire;
