//! Long proofs over real processes: each is a command that prints its figures, and a small test.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "a proof fails loudly and prints what it found"
)]

mod books;
pub mod burst;
pub mod crowd;
pub mod findable;
mod graph;
pub mod replica;
pub mod resume;
pub mod rolling;
pub mod saga;
pub mod search;
pub mod storm;

/// Nobody signs in again during a proof.
const KNOBS: [(&str, &str); 1] = [("MOIM_MEMBER__ACCESS_TOKEN_S", "14400")];
