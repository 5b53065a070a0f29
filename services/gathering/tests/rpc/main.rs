//! The gathering room through its public face: gRPC over sockets, on both databases.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod browse;
mod cards;
mod facts;
mod gatherings;
mod joining;
mod managing;
mod moves;
mod races;
mod ratings;
mod stage;
mod visibility;
