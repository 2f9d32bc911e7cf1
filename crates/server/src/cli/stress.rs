//! `stress`: loads log ingest, with a progress bar, and prints the report.

use std::{path::PathBuf, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, Url};

use super::{say, table_to_fit};
use crate::lifecycle::Signals;
use workshop::stress::{self, Goals, Ledger, Named, Plan, QueryBack, Report};

#[derive(clap::Args)]
pub struct Args {
    /// Server to load
    #[arg(long, env = "STRESS_URL", default_value = "http://127.0.0.1:8000", value_name = "URL")]
    url: String,

    /// Allow a host other than this machine. Only if it is yours
    #[arg(long)]
    allow_remote: bool,

    /// Number of devices that log; each run has new ones
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    devices: u32,

    /// Lines per device
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    lines: u32,

    /// Lines per request
    #[arg(long, default_value_t = 5, value_name = "N", conflicts_with = "single",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    batch: u32,

    /// Send one line per request, to /api/log instead of /api/logs/batch
    #[arg(long)]
    single: bool,

    /// Requests in flight, each on its own connection
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    in_flight: u16,

    /// Goal: lines acknowledged per second, at least
    #[arg(long, default_value_t = 10_000.0, value_name = "RATE")]
    goal_rate: f64,

    /// Goal: milliseconds within which 95 % of the requests are acknowledged
    #[arg(long, default_value_t = 100.0, value_name = "MS")]
    goal_p95: f64,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// Write the acknowledged lines to this file, for --verify
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    acknowledged: Option<PathBuf>,

    /// Send nothing: only check that the lines of this file are stored
    #[arg(long, value_name = "FILE")]
    verify: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<ExitCode, String> {
    let url = stress::target(&args.url, args.allow_remote)?;
    let client = stress::client(usize::from(args.in_flight), args.single)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let all_met = runtime.map_err(|e| e.to_string())?.block_on(async {
        stress::hello(&client, &url).await?;
        match &args.verify {
            Some(file) => verify(args, &client, &url, &Ledger::read(file)?).await,
            None => load(args, &client, &url).await,
        }
    })?;
    Ok(if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn load(args: &Args, client: &Client, url: &Url) -> Result<bool, String> {
    let plan = Plan {
        run: format!("{:08x}", fastrand::u32(..)),
        devices: args.devices,
        lines_per_device: args.lines,
        batch: (!args.single).then_some(args.batch),
        in_flight: usize::from(args.in_flight),
    };
    let goals = Goals { lines_per_second: args.goal_rate, p95_ms: args.goal_p95 };
    if let Some(file) = &args.acknowledged {
        // A file that can't be written fails here, before the load.
        Ledger::default().write(file)?;
    }
    let bar = ProgressBar::new(plan.lines()).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} lines, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut signals = Signals::new().map_err(|e| e.to_string())?;
    let stop = signals.next();
    let sent = stress::run(client, url, &plan, stop, &|lines| bar.set_position(lines)).await;
    bar.finish_and_clear();
    let (tally, ledger) = sent?;
    if let Some(file) = &args.acknowledged {
        ledger.write(file)?;
    }
    let back = stress::query_back(client, url, &ledger).await;
    let report = Report::new(&plan, goals, tally, back);
    if args.json {
        print_json(&report)?
    } else {
        print(&report)
    }
    Ok(report.all_met)
}

async fn verify(args: &Args, client: &Client, url: &Url, ledger: &Ledger) -> Result<bool, String> {
    let back = stress::query_back(client, url, ledger).await?;
    if args.json {
        print_json(&back)?
    } else {
        say(text(&back))
    }
    Ok(back.missing == 0)
}

fn print_json(report: &impl serde::Serialize) -> Result<(), String> {
    say(serde_json::to_string_pretty(report).map_err(|e| e.to_string())?);
    Ok(())
}

fn text(back: &QueryBack) -> String {
    let QueryBack { acknowledged, found, missing, twice } = back;
    format!(
        "read back: {acknowledged} lines acknowledged, {found} found, {missing} missing, {twice} stored twice"
    )
}

fn print(report: &Report) {
    let Report { lines_acknowledged, seconds, lines_per_second, requests, .. } = report;
    say(format_args!(
        "{lines_acknowledged} lines acknowledged in {seconds:.2} s: {lines_per_second:.0} lines/s, {requests} requests of {} lines, {} in flight",
        report.lines_per_request, report.in_flight
    ));
    let ms = &report.latency_ms;
    say(format_args!(
        "latency: mean {:.1} ms, min {:.1}, max {:.1}, p50 {:.1}, p95 {:.1}, p99 {:.1}",
        ms.mean, ms.min, ms.max, ms.p50, ms.p95, ms.p99
    ));
    for (kind, requests) in &report.failures {
        say(format_args!("failed: {requests} requests, {kind}"));
    }
    let traces = &report.traces;
    print_named("slowest", traces.slowest.as_ref());
    // Often both are the same request.
    let another = traces.slowest_sampled.as_ref();
    let another = another.filter(|_| traces.slowest.as_ref().is_none_or(|named| !named.sampled));
    print_named("slowest traced", another);
    print_named("first failed", traces.first_failed.as_ref());
    if let Some(back) = &report.query_back {
        say(text(back));
    }
    let mut table = table_to_fit();
    table.set_header(["goal", "measured", "met"]);
    for goal in &report.goals {
        let met = if goal.met { "yes" } else { "NO" };
        table.add_row([goal.goal.as_str(), &goal.measured, met]);
    }
    say(table);
}

fn print_named(which: &str, named: Option<&Named>) {
    let Some(Named { trace_id, sampled, ms, failure, .. }) = named else { return };
    let failure = failure.as_ref().map_or(String::new(), |failure| format!(", {failure}"));
    let place = match trace_id {
        Some(id) if *sampled => format!("/debug/traces/{id} on the ops port"),
        Some(id) => format!("trace {id} in the access log"),
        None => "no trace".to_owned(),
    };
    say(format_args!("{which}: {ms:.1} ms{failure}, {place}"));
}
