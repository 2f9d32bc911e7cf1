//! `labs`: prints the catalogue as a table, with the learner's progress.

use std::{path::Path, process::ExitCode};

use super::{Catalogue, say, table_to_fit};
use workshop::{
    lab::Labs,
    progress::{FILE, Progress},
};

pub fn run(catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    // The labs can be listed without it.
    let progress = Progress::read(Path::new(FILE));
    let mut table = table_to_fit();
    table.set_header(["id", "area", "progress", "slow", "fast"]);
    for loaded in labs.all() {
        let evidence = &loaded.evidence;
        let progress = match &progress {
            Ok(progress) => progress.of(loaded.lab.id).standing(),
            Err(_) => "?",
        };
        table.add_row([
            loaded.lab.id,
            evidence.area.title(),
            progress,
            &evidence.route("slow"),
            &evidence.route("fast"),
        ]);
    }
    say(table);
    if let Err(reason) = progress {
        eprintln!("{reason}");
    }
    Ok(ExitCode::SUCCESS)
}
