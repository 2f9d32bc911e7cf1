//! The binary: runs the server with the labs.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main(&chokepoint::labs::CATALOGUE)
}
