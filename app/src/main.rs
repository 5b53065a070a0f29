//! The program `moim`: reads its arguments and does what they say.

use std::process::ExitCode;

fn main() -> ExitCode {
    moim::cli::answer()
}
