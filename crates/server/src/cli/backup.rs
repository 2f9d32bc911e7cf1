//! `backup` and `restore`: copy the database while it is in use, and restore it from the copy.

use std::{path::PathBuf, process::ExitCode};

use super::{database::block_on, say};
use product::{backup, config::DatabaseConfig};

#[derive(clap::Args)]
pub struct Args {
    /// The copy of the database
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    database: DatabaseConfig,
}

pub fn backup(Args { file, database }: &Args) -> Result<ExitCode, String> {
    let bytes = block_on(backup::backup(database, file)).map_err(|e| format!("backup: {e}"))?;
    say(format_args!("{}: copied to {}, {bytes} bytes", database.shown(), file.display()));
    Ok(ExitCode::SUCCESS)
}

pub fn restore(Args { file, database }: &Args) -> Result<ExitCode, String> {
    block_on(backup::restore(database, file)).map_err(|e| format!("restore: {e}"))?;
    say(format_args!("{}: restored from {}", database.shown(), file.display()));
    Ok(ExitCode::SUCCESS)
}
