//! The binary: the labs, on the server.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main(chokepoint::labs::CATALOGUE)
}
