//! Prints the tables of docs/scaling.md.
#![allow(clippy::print_stdout, reason = "it is for people")]

use std::process::ExitCode;

use moim_scaling::inputs::Inputs;
use moim_scaling::report::tables;

fn main() -> ExitCode {
    match Inputs::measured() {
        Ok(inputs) => {
            for (name, table) in tables(&inputs) {
                println!("{name}\n\n{table}");
            }
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            println!("inputs.txt: {wrong}");
            ExitCode::FAILURE
        }
    }
}
