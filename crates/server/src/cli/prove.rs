//! `prove`: runs the proof, with a progress line for each lab, and prints the table.

use std::{path::PathBuf, process::ExitCode};

use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Catalogue, say, table_to_fit};
use workshop::{
    lab::{Labs, LoadedLab},
    prove::{self, Options, Proof, Variants, k6, report},
};

#[derive(clap::Args)]
pub struct Args {
    /// Labs to prove (all if none is named)
    labs: Vec<String>,

    /// Grade your variant of the named labs against the evidence of fast
    #[arg(long, requires = "labs")]
    yours: bool,

    /// Folder for reports, server logs and k6's pages
    #[arg(long, env = "PROVE_OUT", default_value = "proof", value_name = "FOLDER")]
    out: PathBuf,

    /// The k6 program
    #[arg(long, env = "K6", default_value = "k6", value_name = "PROGRAM")]
    k6: PathBuf,
}

pub fn run(args: Args, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let selected = prove::select(&labs, &args.labs)?;
    std::fs::create_dir_all(&args.out).map_err(|e| format!("{}: {e}", args.out.display()))?;
    let out = args.out.canonicalize().map_err(|e| format!("{}: {e}", args.out.display()))?;
    // k6 is started in another folder; a bare name is found through PATH.
    let is_path = args.k6.components().count() > 1;
    let k6 = if is_path { std::path::absolute(&args.k6) } else { Ok(args.k6.clone()) };
    let options = Options {
        k6: k6.map_err(|e| format!("{}: {e}", args.k6.display()))?,
        server: std::env::current_exe().map_err(|e| format!("this program's path: {e}"))?,
        out,
        variants: if args.yours { Variants::Yours } else { Variants::All },
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let proofs = runtime.map_err(|e| e.to_string())?.block_on(async {
        k6::check(&options.k6).await?;
        let mut proofs = Vec::new();
        for loaded in selected {
            proofs.push(prove_one(loaded, &options).await);
        }
        Ok::<_, String>(proofs)
    })?;
    report::write(&proofs, &options.out)?;
    say(table(&proofs));
    say(format_args!("Reports and logs are in {}", options.out.display()));
    let all_hold = proofs.iter().all(|proof| proof.holds);
    Ok(if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn prove_one(loaded: &LoadedLab, options: &Options) -> Proof {
    let id = loaded.lab.id;
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {prefix}: {msg} [{elapsed}]")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.set_prefix(id);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let proof = prove::lab(loaded, options, &|doing| bar.set_message(doing.to_owned())).await;
    bar.finish_and_clear();
    let verdict = if proof.holds { "holds" } else { "DOES NOT HOLD" };
    eprintln!("{id}: {verdict}, {:.0} s", proof.seconds);
    proof
}

fn table(proofs: &[Proof]) -> Table {
    let mut table = table_to_fit();
    table.set_header(["lab", "step", "verdict", "measured"]);
    for proof in proofs {
        for step in &proof.steps {
            let (verdict, text) = if step.failures.is_empty() {
                ("holds", step.measured.clone())
            } else {
                ("FAILS", format!("{}\n{}", step.failures.join("\n"), step.measured))
            };
            table.add_row([proof.lab.as_str(), &step.name, verdict, text.trim()]);
        }
    }
    table
}
