//! `hint` and `reset`: the learner's way through a lab, and back to its start.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Catalogue, say};
use workshop::{
    lab::Labs,
    progress::{self, FILE, Progress, yours},
    prove::{Proof, select},
};

#[derive(clap::Args)]
pub struct HintArgs {
    /// Lab whose next hint is shown
    lab: String,
}

#[derive(clap::Args)]
pub struct ResetArgs {
    /// Labs whose yours.rs is put back to its start
    #[arg(required_unless_present = "all")]
    labs: Vec<String>,

    /// Put back every lab
    #[arg(long, conflicts_with = "labs")]
    all: bool,
}

pub fn hint(args: &HintArgs, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let hints = &labs.named(&args.lab)?.evidence.hints;
    let shown = Progress::read(Path::new(FILE))?.of(&args.lab).hints;
    if shown < hints.len() {
        progress::change(Path::new(FILE), &args.lab, |lab| lab.hints = shown + 1)?;
    }
    let number = (shown + 1).min(hints.len());
    let hint = number.checked_sub(1).and_then(|index| hints.get(index));
    let hint = hint.ok_or_else(|| format!("{} has no hints", args.lab))?;
    say(format_args!("Hint {number} of {}: {hint}", hints.len()));
    Ok(ExitCode::SUCCESS)
}

pub fn reset(args: &ResetArgs, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let root = super::repository()?;
    let file = root.join(FILE);
    // Known before anything is written.
    let selected = select(&labs, &args.labs)?;
    Progress::read(&file)?;
    for loaded in selected {
        let id = loaded.lab.id;
        let kept = yours::reset(&root, loaded)?;
        progress::forget(&file, id)?;
        let shown = |kept: &PathBuf| kept.strip_prefix(&root).unwrap_or(kept).display().to_string();
        let kept = kept.iter().map(shown).collect::<Vec<_>>().join(" and ");
        match kept.as_str() {
            "" => say(format_args!("{id}: it was at its start")),
            kept => say(format_args!("{id}: back to its start; yours is kept in {kept}")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Remembers what `prove --yours` found; an invalid run says nothing. Its verdict stands even where
/// that can't be written.
pub fn remember(proofs: &[Proof]) {
    for proof in proofs.iter().filter(|proof| proof.last.invalid.is_none()) {
        let change = |lab: &mut progress::LabProgress| {
            lab.attempts += 1;
            lab.proven |= proof.holds;
        };
        if let Err(reason) = progress::change(Path::new(FILE), &proof.lab, change) {
            eprintln!("progress is not kept: {reason}");
        }
    }
}
