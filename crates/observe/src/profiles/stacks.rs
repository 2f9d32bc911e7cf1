//! Stacks of names from a pprof protobuf: for flame graphs, and for evidence about a frame.

use std::collections::{BTreeMap, HashMap};

use pprof::protos::Profile;

use super::encode;

/// Stacks as flame graphs want them, outermost first: `thread;main;…;leaf`, each with its value.
pub type Stacks = BTreeMap<String, u64>;

/// Samples of one profile that concern one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameSamples {
    /// Samples of threads named `app-*` that hold the frame.
    pub holding: u64,
    /// All samples of threads named `app-*`.
    pub of_app: u64,
    /// Samples that a thread has if it runs all the time.
    pub of_one_thread: f64,
}

impl FrameSamples {
    pub fn share(&self) -> f64 {
        self.holding as f64 / self.of_app.max(1) as f64
    }

    pub fn threads(&self) -> f64 {
        self.holding as f64 / self.of_one_thread.max(1.0)
    }
}

/// Reads a profile as `/debug/pprof/profile` sends it, to find frames in it.
pub struct FrameReader {
    profile: Profile,
}

impl FrameReader {
    pub fn new(packed: &[u8]) -> Result<Self, String> {
        Ok(Self { profile: encode::unpack(packed)? })
    }

    fn text(&self, index: i64) -> &str {
        let index = usize::try_from(index).unwrap_or(0);
        self.profile.string_table.get(index).map_or("", String::as_str)
    }

    /// Names of each location, innermost first.
    fn names(&self) -> HashMap<u64, Vec<&str>> {
        let functions: HashMap<u64, &str> =
            self.profile.function.iter().map(|f| (f.id, self.text(f.name))).collect();
        let name = |id: &u64| functions.get(id).copied();
        let locations = self.profile.location.iter();
        locations
            .map(|at| (at.id, at.line.iter().filter_map(|l| name(&l.function_id)).collect()))
            .collect()
    }

    fn thread(&self, labels: &[pprof::protos::Label]) -> Option<&str> {
        let label = labels.iter().find(|label| self.text(label.key) == "thread");
        label.map(|label| self.text(label.str))
    }

    /// Samples of threads named `app-*`, and those among them with a function of this name.
    pub fn samples(&self, function: &str) -> FrameSamples {
        let names = self.names();
        let is_named = |at: &u64| {
            names.get(at).is_some_and(|names| names.iter().any(|n| n.contains(function)))
        };
        let mut found = FrameSamples {
            of_one_thread: self.profile.duration_nanos as f64 / self.profile.period.max(1) as f64,
            ..FrameSamples::default()
        };
        for sample in &self.profile.sample {
            if self.thread(&sample.label).is_some_and(|thread| thread.starts_with("app-")) {
                let count = sample.value.first().map_or(0, |count| count.unsigned_abs());
                found.of_app += count;
                if sample.location_id.iter().any(is_named) {
                    found.holding += count;
                }
            }
        }
        found
    }

    /// Sum of the first value of all samples: counts, or bytes.
    pub fn total(&self) -> u64 {
        let value = |sample: &pprof::protos::Sample| sample.value.first().copied().unwrap_or(0);
        self.profile.sample.iter().map(|sample| value(sample).unsigned_abs()).sum()
    }

    pub fn stacks(&self) -> Stacks {
        let names = self.names();
        let mut stacks = Stacks::new();
        for sample in &self.profile.sample {
            let frames = sample.location_id.iter().rev().filter_map(|at| names.get(at));
            let frames = frames.flat_map(|names| names.iter().rev().copied());
            // A semicolon separates frames, and types such as [u8; 4] hold some.
            let all: Vec<_> = self
                .thread(&sample.label)
                .into_iter()
                .chain(frames)
                .map(|name| name.replace(';', ","))
                .collect();
            let value = sample.value.first().map_or(0, |value| value.unsigned_abs());
            *stacks.entry(all.join(";")).or_default() += value;
        }
        stacks.remove("");
        stacks
    }
}
