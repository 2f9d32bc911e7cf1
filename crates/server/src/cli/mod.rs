//! The command line: its commands, and the exit code of each.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use product::config::{Config, DatabaseConfig};
use workshop::Lab;

/// `backup` and `restore`: copy the database, and restore it.
mod backup;
/// Banner on the terminal when the server is up.
mod banner;
/// Commands that use only the database.
mod database;
/// `flame`: flame graphs of slow and fast.
mod flame;
/// `health`: checks that a server is ready.
mod health;
/// `labs`: prints the catalogue as a table.
mod labs;
/// `hint` and `reset`, and what `prove --yours` adds to the progress.
mod learn;
/// `new-lab`: makes the files of a new lab.
mod new_lab;
/// `prove`: runs the proof and prints the table.
mod prove;
/// `serve`: runs the server until a signal stops it.
mod serve;
/// Options that name services for tests.
mod services;
/// `stress`: runs the load and prints the report.
mod stress;
/// Errors of the command line, on one line.
mod usage;
/// `watch`: builds and grades yours.rs on each save.
mod watch;

/// Exit code of a command that could not be run as requested.
const USAGE: u8 = 2;

/// An instrumented teaching server with deliberate bottlenecks.
///
/// Without a command it serves: the app on 127.0.0.1:8000, ops on 127.0.0.1:8001, with an SQLite
/// file under ./data. Each option can also be set as an environment variable or in a `.env` file.
#[derive(Parser)]
#[command(
    name = "chokepoint",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Try:
  chokepoint                            serve with all defaults
  chokepoint labs                       what there is to learn, and what is solved
  chokepoint watch n-plus-one           grade yours.rs on each save
  curl -i localhost:8000/api/posts/v1/slow
  chokepoint prove blocking-n-plus-one  prove that the lab shows its symptom (needs k6)"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    serve: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the app and the ops port (the default)
    Serve(Box<Config>),
    /// List the labs in teaching order, with your progress and their URLs
    Labs,
    /// Build and grade yours.rs of a lab on each save
    ///
    /// Builds the server with cargo, starts it on free ports, asks yours and fast once, and says
    /// red or green by the counts of that request. Runs in the folder of the repository. Without a
    /// terminal it reads the keys as lines, and ends with its input.
    Watch(watch::Args),
    /// Show the next hint of a lab
    Hint(learn::HintArgs),
    /// Put yours.rs back to its start, and forget progress and hints
    ///
    /// The old yours.rs is kept in a file under data/yours.
    Reset(learn::ResetArgs),
    /// Make the files of a new lab
    ///
    /// Writes a lab that compiles to src/labs, with a TODO wherever something is missing, and enters
    /// it in the list of labs. `cargo test` names each TODO that is left.
    NewLab(new_lab::Args),
    /// Prove that each lab shows its symptom and that its fix removes it
    ///
    /// Starts a fresh server on free ports for each lab, loads slow and fast with k6, and compares
    /// the measurements with the lab's evidence file. Exit code 0 only if everything holds, 1 if
    /// something does not, 2 if the proof could not run.
    Prove(prove::Args),
    /// Draw flame graphs of a lab's slow and fast, and of the difference
    ///
    /// Starts a fresh server on free ports, keeps N requests in flight to each variant, and takes a
    /// wall-clock, a CPU and a heap profile of each during the load. Needs neither k6 nor a running
    /// server. Exit code 0 if every graph was drawn, 2 if not.
    Flame(flame::Args),
    /// Load log ingest, and read back the acknowledged lines
    ///
    /// All devices log at the same time, in batches. The report has the rate, latencies, failures
    /// by kind and whether the goals were met. Time limits: 30 s for a batch, 10 s for a single
    /// line, 5 minutes in total. Exit code 0 if every goal was met, 1 if one was missed, 2 if the
    /// load could not run.
    ///
    /// The report names the trace of the slowest request and of the first failed one; both are in
    /// the server's access log. Ten requests a second start a trace and request sampling; the
    /// slowest of these opens at /debug/traces/{id} on the ops port. The trace ids of the others
    /// come from their answers, so a request without an answer has none.
    ///
    /// A server that exports traces exports each request by default. With
    /// OTEL_TRACES_SAMPLER=parentbased_always_off it exports only these ten a second, with
    /// parentbased_traceidratio these and a share of the others.
    #[command(after_help = "\
Try:
  chokepoint stress                       100 devices, 100 lines each, 200 requests in flight
  chokepoint stress --lines 8000          long enough to measure
  chokepoint stress --single --lines 20   what batches are good for
  chokepoint stress --acknowledged lines.txt; kill -9 the server, start it again, and
  chokepoint stress --verify lines.txt    what was acknowledged is still there")]
    Stress(stress::Args),
    /// Check that a server on this machine is ready
    ///
    /// Meant for container health checks. Exit code 0 if it is ready, 1 if not.
    Health(health::Args),
    /// Copy the database into a new file while it is in use
    ///
    /// The copy is a consistent snapshot: everything acknowledged before it began is in it. SQLite
    /// is copied by VACUUM INTO, PostgreSQL by pg_dump, which must be installed. An existing file
    /// is never replaced, and a copy that fails leaves no file.
    Backup(backup::Args),
    /// Restore the database from a file that `backup` wrote
    ///
    /// The SQLite file must not exist yet, the PostgreSQL database must be empty: nothing is
    /// replaced. PostgreSQL is restored by pg_restore, completely or not at all.
    Restore(backup::Args),
    /// Migrate the database schema to the newest version; safe to repeat
    Migrate(DatabaseConfig),
    /// Insert the demo rows, and more posts if requested; safe to repeat
    Seed {
        #[command(flatten)]
        database: DatabaseConfig,
        /// Total number of seeded posts, including those that exist
        #[arg(long, value_name = "N", default_value_t = product::entity::posts::SEEDED,
              value_parser = clap::value_parser!(u64).range(..=9_999_999))]
        posts: u64,
    },
}

/// Labs in teaching order.
pub type Catalogue = &'static [&'static Lab];

/// Runs the command of the command line, with the labs of the caller.
pub fn main(catalogue: Catalogue) -> ExitCode {
    match run(catalogue) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(USAGE)
        }
    }
}

fn run(catalogue: Catalogue) -> Result<ExitCode, String> {
    read_dotenv()?;
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(usage::one_line(&error)),
        // --help and --version.
        Err(error) => error.exit(),
    };
    match cli.command {
        None => serve::run(&cli.serve, catalogue),
        Some(Command::Serve(config)) => serve::run(&config, catalogue),
        Some(Command::Labs) => labs::run(catalogue),
        Some(Command::Watch(args)) => watch::run(args, catalogue),
        Some(Command::Hint(args)) => learn::hint(&args, catalogue),
        Some(Command::Reset(args)) => learn::reset(&args, catalogue),
        Some(Command::NewLab(args)) => new_lab::run(&args, catalogue),
        Some(Command::Prove(args)) => prove::run(args, catalogue),
        Some(Command::Flame(args)) => flame::run(&args, catalogue),
        Some(Command::Stress(args)) => stress::run(&args),
        Some(Command::Health(args)) => health::run(&args),
        Some(Command::Backup(args)) => backup::backup(&args),
        Some(Command::Restore(args)) => backup::restore(&args),
        Some(Command::Migrate(config)) => database::migrate(&config),
        Some(Command::Seed { database, posts }) => database::seed(&database, posts),
    }
}

/// Folder of the repository, in which the commands that write sources run.
fn repository() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|e| format!("the current folder: {e}"))?;
    if here.join("Cargo.toml").is_file() && here.join("src/labs/mod.rs").is_file() {
        return Ok(here);
    }
    Err(format!(
        "{} has no src/labs: run this in the folder of Chokepoint's repository",
        here.display()
    ))
}

/// Table as wide as the terminal; without one, as wide as a log line should be.
fn table_to_fit() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(120);
    }
    table
}

/// Prints a line. A closed pipe, as after `| head`, is not an error.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Reads `.env`. The file is optional, but one that can't be read is an error.
fn read_dotenv() -> Result<(), String> {
    match dotenvy::dotenv() {
        // The line itself is left out: it may hold a secret.
        Err(dotenvy::Error::LineParse(_, at)) => {
            Err(format!(".env: a line is broken at its character {at}"))
        }
        Err(error) if !error.not_found() => Err(format!(".env: {error}")),
        _ => Ok(()),
    }
}
