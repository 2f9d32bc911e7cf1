//! `prove`: runs the proof, with a progress line for each lab, and prints the tables.

use std::{path::PathBuf, process::ExitCode};

use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Catalogue, say, table_to_fit};
use workshop::{
    judge::confusion::Comparison,
    lab::{Labs, LoadedLab},
    prove::{self, Options, Proof, Repeats, Variants, k6, numbers, report},
};

#[derive(clap::Args)]
pub struct Args {
    /// Labs to prove (all if none is named)
    labs: Vec<String>,

    /// Grade your variant of the named labs by the gate and the bounds of fast
    #[arg(long, requires = "labs")]
    yours: bool,

    /// Write the numbers into the README of each lab that holds; run it in the folder of the sources
    #[arg(long, conflicts_with = "yours")]
    write: bool,

    /// Folder for reports, server logs and k6's pages
    #[arg(long, env = "PROVE_OUT", default_value = "proof", value_name = "FOLDER")]
    out: PathBuf,

    /// The k6 program
    #[arg(long, env = "K6", default_value = "k6", value_name = "PROGRAM")]
    k6: PathBuf,

    #[command(flatten)]
    services: super::services::ServiceArgs,
}

pub fn run(args: Args, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let selected = prove::select(&labs, &args.labs)?;
    // Found out before anything is proven.
    let root = args.write.then(super::repository).transpose()?;
    std::fs::create_dir_all(&args.out).map_err(|e| format!("{}: {e}", args.out.display()))?;
    let out = args.out.canonicalize().map_err(|e| format!("{}: {e}", args.out.display()))?;
    let options = Options {
        k6: k6::located(&args.k6)?,
        server: std::env::current_exe().map_err(|e| format!("this program's path: {e}"))?,
        out,
        variants: if args.yours { Variants::Yours } else { Variants::All },
        services: args.services.services(!args.labs.is_empty()),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let proofs = runtime.map_err(|e| e.to_string())?.block_on(async {
        k6::check(&options.k6).await?;
        let mut proofs = Vec::new();
        let mut repeats = Repeats::default();
        for loaded in &selected {
            proofs.push(prove_one(loaded, &options, &mut repeats).await);
        }
        Ok::<_, String>(proofs)
    })?;
    let confusion = prove::confusion(&labs, &proofs);
    let outcome = report::Outcome::new(&proofs, &confusion);
    outcome.write(&options.out)?;
    super::learn::remember(if args.yours { &proofs } else { &[] });
    say(table(&proofs));
    if !confusion.is_empty() {
        say("Slow runs (rows) against the evidence of slow (columns), with what tells them apart:");
        say(confusion_table(&confusion));
    }
    if outcome.repeats > 0 {
        say(format_args!("{} runs were invalid and repeated", outcome.repeats));
    }
    say(format_args!("Reports and logs are in {}", options.out.display()));
    if let Some(root) = root {
        for (loaded, proof) in selected.iter().zip(&proofs).filter(|(_, proof)| proof.holds) {
            numbers::write(&root, loaded, proof)?;
        }
    }
    Ok(if outcome.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn prove_one(loaded: &LoadedLab, options: &Options, repeats: &mut Repeats) -> Proof {
    let id = loaded.lab.id;
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {prefix}: {msg} [{elapsed}]")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.set_prefix(id);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let progress = |doing: &str| bar.set_message(doing.to_owned());
    let proof = prove::lab(loaded, options, repeats, &progress).await;
    bar.finish_and_clear();
    let verdict = match (proof.holds, &proof.last.invalid) {
        (true, _) => "holds",
        (false, Some(_)) => "IS INVALID",
        (false, None) => "DOES NOT HOLD",
    };
    let on = match proof.last.stores.as_str() {
        "" => String::new(),
        stores => format!(" on {stores}"),
    };
    eprintln!("{id}: {verdict}{on}, {:.0} s", proof.last.seconds);
    proof
}

fn table(proofs: &[Proof]) -> Table {
    let mut table = table_to_fit();
    table.set_header(["lab", "step", "verdict", "measured"]);
    for proof in proofs {
        let lab = proof.lab.as_str();
        for repeated in &proof.repeated {
            let reason = repeated.invalid.as_deref().unwrap_or_default();
            let reason = format!("{reason}; so it was repeated");
            table.add_row([lab, "machine", "INVALID", &reason]);
        }
        for step in &proof.last.steps {
            let (verdict, text) = if step.failures.is_empty() {
                ("holds", step.measured.clone())
            } else {
                ("FAILS", format!("{}\n{}", step.failures.join("\n"), step.measured))
            };
            table.add_row([lab, &step.name, verdict, text.trim()]);
        }
        if let Some(reason) = &proof.last.invalid {
            table.add_row([lab, "machine", "INVALID", reason]);
        }
    }
    table
}

/// Table of labs against labs; empty where their areas differ.
fn confusion_table(comparisons: &[Comparison]) -> Table {
    let mut labs: Vec<&str> = Vec::new();
    for Comparison { slow_run_of, .. } in comparisons {
        if !labs.contains(&slow_run_of.as_str()) {
            labs.push(slow_run_of);
        }
    }
    let mut table = table_to_fit();
    table.set_header(["slow run of"].into_iter().chain(labs.iter().copied()));
    for run in &labs {
        let cell = |evidence: &&str| {
            let of = |c: &&Comparison| c.slow_run_of == *run && c.evidence_of == *evidence;
            match comparisons.iter().find(of) {
                Some(comparison) if comparison.is_confused() => "CONFUSED".to_owned(),
                Some(comparison) => comparison.told_apart_by.join(", "),
                None if run == evidence => "itself".to_owned(),
                None => String::new(),
            }
        };
        table.add_row([(*run).to_owned()].into_iter().chain(labs.iter().map(cell)));
    }
    table
}
