//! Flame graphs of one lab's slow and fast: loads each on its own server, takes a profile of every
//! mode during the load, and draws the differences.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    lab::LoadedLab,
    prove::{ServerProcess, Services, WORKER_THREADS},
};
use observe::profiles::{HEAP_IS_HERE, Mode};

/// Requests to the ops port.
mod client;
/// Keeps a fixed number of requests in flight until it is stopped.
mod load;

use client::Client;
use load::Load;

/// Fast is first: the difference then shows what slow has and fast has not.
const VARIANTS: [&str; 2] = ["fast", "slow"];

/// Wait between the start of the load and the profiles: its connections are then open.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

pub struct Options {
    /// Program that serves; normally this one.
    pub server: PathBuf,
    /// Folder for flame graphs and profiles.
    pub out: PathBuf,
    /// Duration of each profile.
    pub seconds: u32,
    pub in_flight: usize,
    pub services: Services,
}

/// Result of one variant's load.
pub struct Loaded {
    pub variant: &'static str,
    pub answered: u64,
    /// Total of each profile, in the unit of its mode.
    pub profiles: Vec<(Mode, u64)>,
}

/// Profile modes that this system has.
fn modes() -> impl Iterator<Item = Mode> {
    let is_here = |mode: &Mode| match mode {
        Mode::Cpu => true,
        Mode::Wall => cfg!(target_os = "linux"),
        Mode::Heap => HEAP_IS_HERE,
    };
    [Mode::Wall, Mode::Cpu, Mode::Heap].into_iter().filter(is_here)
}

/// Writes `wall-slow.svg`, `wall-slow.pb.gz` and so on, and `wall-diff.svg`. Reports each step to
/// `progress`.
pub async fn lab(
    loaded: &LoadedLab,
    options: &Options,
    progress: &dyn Fn(&str),
) -> Result<Vec<Loaded>, String> {
    let log = options.out.join("server.log");
    let settings = &loaded.evidence.settings;
    let stores = options.services.stores(loaded.evidence.needs).await?;
    let started = ServerProcess::start(&options.server, &log, WORKER_THREADS, settings, stores);
    let server = started.await?;
    let client = Client::new(&server, loaded)?;
    let caller = load::caller(&server, loaded, options.in_flight).await?;
    let mut all = Vec::new();
    let mut ids = Vec::new();
    for variant in VARIANTS {
        let load = Load::start(&caller, &loaded.evidence.answer, variant, options.in_flight);
        tokio::time::sleep(SETTLES_WITHIN).await;
        let mut profiles = Vec::new();
        for mode in modes() {
            progress(&format!("{variant}: {} s of {}", options.seconds, mode.name()));
            let taken = client.take(mode, variant, options.seconds).await?;
            write(&options.out, &format!("{}-{variant}.pb.gz", mode.name()), &taken.packed)?;
            profiles.push((mode, taken.total));
            ids.push((mode, variant, taken.id));
        }
        progress(&format!("{variant}: its last requests"));
        let answered = load.stop().await?;
        all.push(Loaded { variant, answered, profiles });
    }
    progress("drawing");
    for &(mode, variant, id) in &ids {
        let path = format!("captures/{id}?format=svg");
        write(&options.out, &format!("{}-{variant}.svg", mode.name()), &client.get(&path).await?)?;
    }
    for mode in modes() {
        let of = |variant| ids.iter().find(|(m, v, _)| (*m, *v) == (mode, variant)).map(|i| i.2);
        if let [Some(a), Some(b)] = VARIANTS.map(of) {
            let drawn = client.get(&format!("diff?a={a}&b={b}")).await?;
            write(&options.out, &format!("{}-diff.svg", mode.name()), &drawn)?;
        }
    }
    Ok(all)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}
