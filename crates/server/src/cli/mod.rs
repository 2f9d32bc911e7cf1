//! The command line: what it understands, and how each command ends.

use std::{io::Write, process::ExitCode};

use clap::{
    CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use product::config::{Config, DatabaseConfig};
use workshop::Lab;

/// `backup` and `restore`: a copy of the database, and the way back.
mod backup;
/// What a person sees when the server is up.
mod banner;
/// Commands that touch only the database.
mod database;
/// `flame`: slow against fast as flame graphs.
mod flame;
/// `health`: whether a server is ready.
mod health;
/// `labs`: the catalogue as a table.
mod labs;
/// `prove`: runs it and prints the table.
mod prove;
/// `serve`: until a signal comes.
mod serve;
/// `stress`: runs it and prints the report.
mod stress;

/// A command that could not be carried out as asked.
const USAGE: u8 = 2;

/// An instrumented teaching server with deliberate bottlenecks.
///
/// Without a command it serves: the app on 127.0.0.1:8000, ops on 127.0.0.1:8001, with an SQLite
/// file under ./data. Every option is also an environment variable, and a `.env` file is read.
#[derive(Parser)]
#[command(
    name = "chokepoint",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Try:
  chokepoint                            serve with all defaults
  chokepoint labs                       what there is to learn
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
    /// List the labs in teaching order, with their URLs
    Labs,
    /// Prove that each lab shows its symptom and that its fix removes it
    ///
    /// Starts a fresh server on free ports for each lab, loads slow and fast with k6, and holds
    /// what was measured against the lab's evidence file. Exit code 0 only if everything holds, 1
    /// if something does not, 2 if it could not be tried.
    Prove(prove::Args),
    /// Draw flame graphs of a lab's slow and fast, and of their difference
    ///
    /// Starts a fresh server on free ports, loads each variant with so many requests in flight,
    /// and takes a wall-clock, a CPU and a heap profile of each meanwhile. Needs neither k6 nor a
    /// server that runs. Exit code 0 if all was drawn, 2 if not.
    Flame(flame::Args),
    /// Load log ingest, and read back what it acknowledged
    ///
    /// Devices log at once, in batches. The report has the rate, latencies, failures by kind and
    /// whether the goals were met. Times are bounded: 30 s for a batch, 10 s for a single line,
    /// 5 minutes in all. Exit code 0 if every goal was met, 1 if one was missed, 2 if it could not
    /// be tried.
    ///
    /// The report names the trace of the slowest request and of the first that failed: the server's
    /// access log has both. Ten requests a second begin a trace and ask that it is kept; the slowest
    /// of these opens at /debug/traces/{id} on the server's ops port. The others are named by their
    /// answer; one that got none has no trace.
    ///
    /// A server that exports traces exports each request by default. With
    /// OTEL_TRACES_SAMPLER=parentbased_always_off it exports the ten alone, with
    /// parentbased_traceidratio these and a share of the others.
    #[command(after_help = "\
Try:
  chokepoint stress                       100 devices, 100 lines each, 200 requests in flight
  chokepoint stress --lines 8000          long enough to measure
  chokepoint stress --single --lines 20   what batches are good for
  chokepoint stress --acknowledged lines.txt; kill -9 the server, start it again, and
  chokepoint stress --verify lines.txt    what was acknowledged is still there")]
    Stress(stress::Args),
    /// Ask a server on this machine whether it is ready
    ///
    /// For health checks of containers. Exit code 0 if it is ready, 1 if not.
    Health(health::Args),
    /// Copy the database into a new file while it is in use
    ///
    /// The copy is of one moment: whatever was acknowledged before it began is in it. Of SQLite it is
    /// made by VACUUM INTO, of PostgreSQL by pg_dump, which must be installed. A file that exists is
    /// never replaced, and a copy that can't be finished leaves none.
    Backup(backup::Args),
    /// Make the database from a file that `backup` wrote
    ///
    /// The SQLite file must not exist yet, the PostgreSQL database must be empty: nothing is replaced.
    /// Of PostgreSQL it is done by pg_restore, all of it or nothing.
    Restore(backup::Args),
    /// Bring the schema of the database up to date; safe to repeat
    Migrate(DatabaseConfig),
    /// Put in the demo rows, and more posts if asked; safe to repeat
    Seed {
        #[command(flatten)]
        database: DatabaseConfig,
        /// How many seeded posts there should be in all; those that exist count
        #[arg(long, value_name = "N", default_value_t = product::entity::posts::SEEDED,
              value_parser = clap::value_parser!(u64).range(..=9_999_999))]
        posts: u64,
    },
}

/// Labs in teaching order.
pub type Catalogue = &'static [&'static Lab];

/// Runs the command that was asked for. The labs are the caller's.
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
        Err(error) if error.use_stderr() => return Err(one_line(&error)),
        // --help and --version.
        Err(error) => error.exit(),
    };
    match cli.command {
        None => serve::run(&cli.serve, catalogue),
        Some(Command::Serve(config)) => serve::run(&config, catalogue),
        Some(Command::Labs) => labs::run(catalogue),
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

/// As wide as the terminal, or as a log line should be.
fn table_to_fit() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(120);
    }
    table
}

/// Prints a line. Whoever has stopped reading, as `| head` does, is no reason to fail.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A `.env` file is optional, but one that can't be read is a mistake.
fn read_dotenv() -> Result<(), String> {
    match dotenvy::dotenv() {
        // Without the line itself, which may hold a secret.
        Err(dotenvy::Error::LineParse(_, at)) => {
            Err(format!(".env: a line is broken at its character {at}"))
        }
        Err(error) if !error.not_found() => Err(format!(".env: {error}")),
        _ => Ok(()),
    }
}

/// Names the setting as both of its kinds, whichever it came from.
fn one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
        && let (Some(arg), Some(value)) =
            (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue))
    {
        let flag = arg.split([' ', '=', '[']).next().unwrap_or(arg);
        let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        let reason = std::error::Error::source(error).map(|source| format!(": {source}"));
        let choices = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(choices)) => format!(": one of {}", choices.join(", ")),
            _ => String::new(),
        };
        let reason = reason.unwrap_or(choices);
        // A secret that is wrong is still a secret; a URL may hold a password.
        let is_secret =
            ["TOKEN", "SECRET", "HEADERS", "KEY"].iter().any(|end| variable.ends_with(end))
                || value.contains('@')
                || variable.ends_with("_URL");
        let value = if is_secret { "this value".to_owned() } else { format!("{value:?}") };
        return format!("{variable} ({flag}): {value} can't be used{reason}");
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    format!("{first} (see `{} --help`)", Cli::command().get_name())
}
