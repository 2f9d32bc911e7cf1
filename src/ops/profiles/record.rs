//! Records by CPU time or by wall-clock time.
//!
//! The pprof crate records whichever thread gets SIGPROF, and its timer counts CPU time: a thread
//! that sleeps never appears. For wall-clock time its timer is stopped, and every thread gets the
//! signal in turn, asleep or not.

use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use pprof::{Frames, ProfilerGuardBuilder, Report};

use super::{Mode, Recorded, Request, Window, encode, names, signals};
use crate::error::Error;

/// What was sampled, with names.
pub struct Sampled {
    pub mode: Mode,
    pub report: Report,
    /// How many samples a second were really taken of a thread that ran throughout.
    hz: f64,
    /// Samples of threads that waited for work, by thread name, which are left out of the report.
    idle: HashMap<String, isize>,
}

pub fn record(request: &Request, window: &Window) -> Result<Recorded, Error> {
    let started = SystemTime::now();
    let sampled = sample(request, window)?;
    Ok(Recorded {
        started,
        seconds: window.duration.as_secs_f64(),
        packed: encode::packed(&sampled)?,
        explained: sampled.explained(),
    })
}

fn sample(request: &Request, window: &Window) -> Result<Sampled, Error> {
    let guard = ProfilerGuardBuilder::default()
        .frequency(i32::try_from(request.hz).unwrap_or(i32::MAX))
        // A thread that unwinds must not be unwound itself. libc stays: sleeps and allocation are there.
        .blocklist(&["libgcc", "vdso"])
        .build()
        .map_err(Error::internal)?;
    let hz = if request.mode == Mode::Wall {
        signals::signal_every_thread(window, request.hz)?
    } else {
        window.wait(window.duration)?;
        f64::from(request.hz)
    };
    let mut raw = guard.report().build_unresolved().map_err(Error::internal)?;
    // Resolving names takes CPU time that nobody asked about: stop first.
    drop(guard);
    raw.timing.frequency = (hz.round() as i32).max(1);
    raw.timing.duration = window.duration;

    let mut idle = HashMap::new();
    let mut data = HashMap::new();
    for (frames, count) in raw.data {
        let frames = names::with_public_names(Frames::from(frames));
        let may_be_idle = request.mode == Mode::Wall && !request.with_idle;
        if may_be_idle && names::is_idle(&frames) {
            *idle.entry(frames.thread_name_or_id()).or_default() += count;
        } else {
            *data.entry(frames).or_default() += count;
        }
    }
    let report = Report { data, timing: raw.timing };
    Ok(Sampled { mode: request.mode, report, hz, idle })
}

impl Sampled {
    /// Idle samples by thread, numbered threads taken together.
    pub fn left_out(&self) -> BTreeMap<String, isize> {
        let mut all = BTreeMap::new();
        for (thread, samples) in &self.idle {
            let kind = thread.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            *all.entry(kind.to_owned()).or_default() += samples;
        }
        all
    }

    /// Says how to read the picture, above all when it is nearly empty.
    fn explained(&self) -> String {
        let of_app = self.report.data.iter().filter(|(f, _)| f.thread_name.starts_with("app-"));
        let of_app: isize = of_app.map(|(_, count)| count).sum();
        let seconds = self.report.timing.duration.as_secs();
        let taken = format!("{seconds} s at {:.0} Hz, {of_app} samples of app threads", self.hz);
        let left_out: isize = self.idle.values().sum();
        if self.mode == Mode::Cpu {
            format!(
                "{taken}. A thread that sleeps or waits uses no CPU and is not in this picture: compare mode=wall"
            )
        } else if left_out == 0 {
            taken
        } else {
            format!(
                "{taken}. Left out: {left_out} samples of idle threads, which `go tool pprof -comments` lists"
            )
        }
    }
}
