//! `watch`: the learner's loop, on a terminal or line by line.

use std::{path::PathBuf, process::ExitCode};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Catalogue, say};
use workshop::{
    lab::Labs,
    prove::k6,
    watch::{self, Event, Key, Options},
};

/// Keys and screens where there is no terminal: lines in, lines out.
mod lines;
/// The terminal in raw mode.
mod terminal;

#[derive(clap::Args)]
pub struct Args {
    /// Lab whose yours.rs is watched
    lab: String,

    /// Profile of cargo that builds the server
    #[arg(long, default_value = "release", value_name = "NAME")]
    profile: String,

    /// Folder for logs, and for the reports of a proof
    #[arg(long, env = "PROVE_OUT", default_value = "proof", value_name = "FOLDER")]
    out: PathBuf,

    /// The k6 program, for the proof
    #[arg(long, env = "K6", default_value = "k6", value_name = "PROGRAM")]
    k6: PathBuf,

    #[command(flatten)]
    services: crate::cli::services::ServiceArgs,
}

pub fn run(args: Args, catalogue: Catalogue) -> Result<ExitCode, String> {
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let loaded = labs.named(&args.lab)?;
    let root = super::repository()?;
    let options = Options {
        out: root.join(&args.out),
        root,
        profile: args.profile,
        k6: k6::located(&args.k6)?,
        services: args.services.services(true),
    };
    // One thread, so that the server has the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| e.to_string())?.block_on(async {
        let (sender, events) = unbounded_channel();
        quit_on_signals(&sender)?;
        let events = (sender.clone(), events);
        let watch = if terminal::is_there() {
            let mut terminal = terminal::Terminal::open(sender).map_err(|e| e.to_string())?;
            watch::run(loaded, &options, events, &mut |watch| terminal.draw(watch)).await?
        } else {
            let mut lines = lines::Lines::open(sender)?;
            watch::run(loaded, &options, events, &mut |watch| lines.draw(watch)).await?
        };
        say(format_args!("{}: {}", args.lab, watch.verdict().text));
        Ok(ExitCode::SUCCESS)
    })
}

/// Ends the watch as `q` does, so that the terminal is restored and no process is left.
#[cfg(unix)]
fn quit_on_signals(events: &UnboundedSender<Event>) -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signal = signal(kind).map_err(|e| format!("signals: {e}"))?;
        let events = events.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                // The loop has ended already.
                let _ = events.send(Event::Key(Key::Quit));
            }
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn quit_on_signals(_: &UnboundedSender<Event>) -> Result<(), String> {
    Ok(())
}
