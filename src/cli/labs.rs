//! `labs`: the catalogue as a table.

use std::process::ExitCode;

use super::table_to_fit;
use crate::labs::Labs;

pub fn run() -> Result<ExitCode, String> {
    let labs = Labs::load().map_err(|e| e.to_string())?;
    let mut table = table_to_fit();
    table.set_header(["id", "area", "question", "slow", "fast", "wrong fixes"]);
    for loaded in labs.all() {
        let evidence = &loaded.evidence;
        let wrong: Vec<_> =
            evidence.wrong_fixes.iter().map(|fix| evidence.route(&fix.name)).collect();
        table.add_row([
            loaded.lab.id.to_owned(),
            evidence.area.clone(),
            evidence.question.clone(),
            evidence.route("slow"),
            evidence.route("fast"),
            wrong.join("\n"),
        ]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}
