//! The `housewright` program: everything is in the library.

use std::process::ExitCode;

use clap::Parser;
use housewright::cli::{CommandLine, run};

fn main() -> ExitCode {
    run(&CommandLine::parse()).into()
}
