//! `new-lab`: makes the files of a new lab, and says what to do with them.

use std::process::ExitCode;

use super::{Catalogue, say};
use workshop::{lab::Labs, new_lab};

#[derive(clap::Args)]
pub struct Args {
    /// Area of the lab, such as database or async_runtime
    area: String,

    /// Id of the lab: words of lower-case letters and digits, with hyphens between them
    id: String,
}

pub fn run(args: &Args, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let root = super::repository()?;
    for file in new_lab::make(&root, &args.area, &args.id, &labs)? {
        say(file.strip_prefix(&root).unwrap_or(&file).display());
    }
    say("Now run `cargo test --test it catalogue`: it names what is left to write.");
    Ok(ExitCode::SUCCESS)
}
