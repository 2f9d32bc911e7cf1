//! `labs`: prints the catalogue as a table.

use std::process::ExitCode;

use super::{Catalogue, say, table_to_fit};
use workshop::lab::Labs;

pub fn run(catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let mut table = table_to_fit();
    table.set_header(["id", "area", "slow", "fast"]);
    for loaded in labs.all() {
        let evidence = &loaded.evidence;
        table.add_row([
            loaded.lab.id,
            evidence.area.title(),
            &evidence.route("slow"),
            &evidence.route("fast"),
        ]);
    }
    say(table);
    Ok(ExitCode::SUCCESS)
}
