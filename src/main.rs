//! The `housewright` program: everything is in the library.

use std::process::ExitCode;

use housewright::cli;

fn main() -> ExitCode {
    cli::main().into()
}
