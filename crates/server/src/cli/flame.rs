//! `flame`: flame graphs of one lab's slow and fast, and the paths of the files.

use std::{path::PathBuf, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Catalogue, say, table_to_fit};
use workshop::{
    flame::{self, Loaded, Options},
    lab::Labs,
    prove,
};

#[derive(clap::Args)]
pub struct Args {
    /// Lab whose slow and fast are compared
    lab: String,

    /// Folder for the pictures; each lab has its own folder in it
    #[arg(long, env = "FLAME_OUT", default_value = "flames", value_name = "FOLDER")]
    out: PathBuf,

    /// Seconds of each profile
    #[arg(long, default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// Requests in flight, each on its own connection
    #[arg(long, default_value_t = 8, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    in_flight: u16,

    #[command(flatten)]
    services: super::services::ServiceArgs,
}

pub fn run(args: &Args, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let selected = prove::select(&labs, std::slice::from_ref(&args.lab))?;
    let out = args.out.join(&args.lab);
    let no_folder = |e| format!("{}: {e}", out.display());
    std::fs::create_dir_all(&out).map_err(no_folder)?;
    let out = out.canonicalize().map_err(no_folder)?;
    let options = Options {
        server: std::env::current_exe().map_err(|e| format!("this program's path: {e}"))?,
        out,
        seconds: args.seconds,
        in_flight: usize::from(args.in_flight),
        services: args.services.services(true),
    };
    // One thread, so that the server has the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| e.to_string())?;
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg} [{elapsed}]")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let mut all = Vec::new();
    for loaded in selected {
        let progress = |doing: &str| bar.set_message(doing.to_owned());
        all.extend(runtime.block_on(flame::lab(loaded, &options, &progress))?);
    }
    bar.finish_and_clear();
    print(&all);
    say(format_args!(
        "Flame graphs are in {}; *-diff.svg is slow against fast:",
        options.out.display()
    ));
    say("red is what slow has more of, blue what it has less of.");
    Ok(ExitCode::SUCCESS)
}

fn print(all: &[Loaded]) {
    let mut table = table_to_fit();
    table.set_header(["variant", "requests answered", "profiles"]);
    for loaded in all {
        let profiles = loaded.profiles.iter();
        let profiles: Vec<_> = profiles
            .map(|(mode, total)| format!("{} {total} {}", mode.name(), mode.unit()))
            .collect();
        table.add_row([loaded.variant, &loaded.answered.to_string(), &profiles.join(", ")]);
    }
    say(table);
}
