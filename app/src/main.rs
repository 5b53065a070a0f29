//! The program `moim`: reads its arguments and does what they say.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = moim::cli::Arguments::parse();
    match moim::cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence with its causes; a backtrace would help nobody who runs it.
            eprintln!("moim: {error:#}");
            ExitCode::FAILURE
        }
    }
}
