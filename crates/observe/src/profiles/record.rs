//! Profiles by CPU time or by wall-clock time.
//!
//! The thread that gets SIGPROF is recorded. The system's timer counts CPU time: a thread that
//! sleeps never appears. For wall-clock time every thread gets the signal in turn, asleep or not.

use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use pprof::{Frames, Report};

use super::{
    Mode, Recorded, Request, Window, encode,
    names::{self, Names},
    sampler::{CpuTimer, Sampler},
    signals,
};
use crate::error::Error;

/// Samples with resolved names.
pub struct Sampled {
    pub mode: Mode,
    pub report: Report,
    /// Samples taken per second of a thread that ran all the time.
    hz: f64,
    /// Samples of idle threads by thread name, which are left out of the report.
    idle: HashMap<String, isize>,
    /// Samples lost because there was no room.
    lost: u64,
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
    let started = SystemTime::now();
    let sampler = Sampler::start()?;
    let hz = if request.mode == Mode::Wall {
        signals::signal_every_thread(window, request.hz)?
    } else {
        let _timer = CpuTimer::start(request.hz);
        window.wait(window.duration)?;
        f64::from(request.hz)
    };
    // Stop first: resolving names takes CPU time that must not be in the profile.
    let samples = sampler.stop();

    let mut names = Names::default();
    let mut idle = HashMap::new();
    let mut data = HashMap::new();
    for (thread, frames, count) in samples.iter() {
        let count = count as isize;
        let frames = Frames {
            frames: names.of(frames),
            thread_name: String::from_utf8_lossy(thread).trim_end_matches('\0').to_owned(),
            thread_id: 0,
            sample_timestamp: started,
        };
        let may_be_idle = request.mode == Mode::Wall && !request.with_idle;
        if may_be_idle && names::is_idle(&frames) {
            *idle.entry(frames.thread_name).or_default() += count;
        } else {
            *data.entry(frames).or_default() += count;
        }
    }
    let mut report = Report { data, timing: Default::default() };
    report.timing.frequency = (hz.round() as i32).max(1);
    report.timing.start_time = started;
    report.timing.duration = window.duration;
    Ok(Sampled { mode: request.mode, report, hz, idle, lost: samples.lost })
}

impl Sampled {
    /// Idle samples by thread; numbered threads are added together.
    pub fn left_out(&self) -> BTreeMap<String, isize> {
        let mut all = BTreeMap::new();
        for (thread, samples) in &self.idle {
            let kind = thread.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            *all.entry(kind.to_owned()).or_default() += samples;
        }
        all
    }

    /// Explains how to read the flame graph, above all when it is nearly empty.
    fn explained(&self) -> String {
        let of_app = self.report.data.iter().filter(|(f, _)| f.thread_name.starts_with("app-"));
        let of_app: isize = of_app.map(|(_, count)| count).sum();
        let seconds = self.report.timing.duration.as_secs();
        let mut taken =
            format!("{seconds} s at {:.0} Hz, {of_app} samples of app threads", self.hz);
        if self.lost > 0 {
            taken += &format!(", {} samples lost: too many different stacks", self.lost);
        }
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
