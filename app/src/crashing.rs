//! The program `moim` with crash points, for proofs: it ends itself where `MOIM_CRASH` says.

use std::process::ExitCode;

fn main() -> ExitCode {
    moim::cli::answer()
}
