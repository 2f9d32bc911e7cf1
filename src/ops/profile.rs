//! `/debug/pprof`: a capture as pprof protobuf or as a flame graph.

use std::{
    collections::{BTreeMap, HashMap},
    io::{Read, Write},
};

use axum::{
    Router,
    extract::Query,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::IntoResponse,
    routing::get,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use pprof::{
    flamegraph,
    protos::{Message, Profile},
};

use super::{
    OpsState,
    capture::{self, Capture},
    params::Params,
};
use crate::{
    error::Error,
    labs::{evidence::ProfileMode, judge::FrameSamples},
};

/// Longer profiles would hold the one profiler for too long.
const MAX_SECONDS: u32 = 120;
/// Above this the signals themselves become the load.
const MAX_HZ: u32 = 500;
/// Not 100, which would beat with everything that ticks 100 times a second.
const DEFAULT_HZ: u32 = 99;

pub fn router() -> Router<OpsState> {
    Router::new()
        .route("/debug/pprof/profile", get(profile))
        .route("/debug/pprof/flamegraph", get(flame_graph))
}

async fn capture(query: HashMap<String, String>) -> Result<Capture, Error> {
    let mut params = Params::new(query);
    let modes = [ProfileMode::Cpu, ProfileMode::Wall].map(|mode| (mode.name(), mode));
    let mode = params.one_of("mode", &modes, Some(ProfileMode::Cpu)).unwrap_or(ProfileMode::Cpu);
    let request = capture::Request {
        mode,
        seconds: params.number("seconds", 1..=MAX_SECONDS, 5),
        hz: params.number("hz", 1..=MAX_HZ, DEFAULT_HZ),
        with_idle: params.number("idle", 0..=1, 0) == 1,
    };
    params.finish()?;
    capture::take(request).await
}

async fn profile(Query(query): Query<HashMap<String, String>>) -> Result<impl IntoResponse, Error> {
    let capture = capture(query).await?;
    let packed = tokio::task::spawn_blocking(move || encode(&capture));
    let packed = packed.await.map_err(Error::internal)??;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, "attachment; filename=\"profile.pb.gz\""),
    ];
    Ok((headers, packed))
}

/// Gzipped pprof protobuf, as `go tool pprof` reads it.
fn encode(capture: &Capture) -> Result<Vec<u8>, Error> {
    let mut profile = capture.report.pprof().map_err(Error::internal)?;
    if capture.mode == ProfileMode::Wall {
        // The crate knows only CPU time.
        let wall = push_string(&mut profile, "wall".to_owned());
        if let Some(time) = profile.sample_type.last_mut() {
            time.ty = wall;
        }
        if let Some(period) = profile.period_type.as_mut() {
            period.ty = wall;
        }
    }
    for (thread, samples) in left_out(capture) {
        let comment = format!("left out: {samples} samples of idle threads {thread}");
        let comment = push_string(&mut profile, comment);
        profile.comment.push(comment);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&profile.encode_to_vec()).map_err(Error::internal)?;
    packed.finish().map_err(Error::internal)
}

fn push_string(profile: &mut Profile, text: String) -> i64 {
    profile.string_table.push(text);
    profile.string_table.len() as i64 - 1
}

/// Idle samples by thread, numbered threads taken together.
fn left_out(capture: &Capture) -> BTreeMap<String, isize> {
    let mut all = BTreeMap::new();
    for (thread, samples) in &capture.idle {
        let kind = thread.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        *all.entry(kind.to_owned()).or_default() += samples;
    }
    all
}

async fn flame_graph(
    Query(query): Query<HashMap<String, String>>,
) -> Result<impl IntoResponse, Error> {
    let capture = capture(query).await?;
    let svg = tokio::task::spawn_blocking(move || draw(&capture));
    let svg = svg.await.map_err(Error::internal)??;
    // The picture brings its own script and style, and nothing from elsewhere.
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "image/svg+xml"), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, svg))
}

fn draw(capture: &Capture) -> Result<Vec<u8>, Error> {
    let mut options = flamegraph::Options::default();
    options.title = match capture.mode {
        ProfileMode::Cpu => "CPU flame graph: where cores spend their time".to_owned(),
        ProfileMode::Wall => "Wall-clock flame graph: where threads spend their time".to_owned(),
    };
    options.subtitle = Some(explain(capture));
    options.count_name = "samples".to_owned();
    let mut lines = folded(capture);
    if lines.is_empty() {
        lines.push("no thread was seen running 1".to_owned());
    }
    let mut svg = Vec::new();
    let lines = lines.iter().map(String::as_str);
    flamegraph::from_lines(&mut options, lines, &mut svg).map_err(Error::internal)?;
    Ok(svg)
}

/// Says how to read the picture, above all when it is nearly empty.
fn explain(capture: &Capture) -> String {
    let of_app = capture.report.data.iter().filter(|(f, _)| f.thread_name.starts_with("app-"));
    let of_app: isize = of_app.map(|(_, count)| count).sum();
    let taken =
        format!("{} s at {:.0} Hz, {of_app} samples of app threads", capture.seconds, capture.hz);
    let left_out: Vec<_> =
        left_out(capture).iter().map(|(thread, count)| format!("{thread} {count}")).collect();
    match capture.mode {
        ProfileMode::Cpu => format!(
            "{taken}. A thread that sleeps or waits uses no CPU and is not in this picture: compare mode=wall"
        ),
        ProfileMode::Wall if left_out.is_empty() => taken,
        ProfileMode::Wall => {
            format!("{taken}. Left out, samples of idle threads: {}", left_out.join(", "))
        }
    }
}

/// One line per stack, outermost first: `thread;main;…;leaf 12`.
fn folded(capture: &Capture) -> Vec<String> {
    let line = |(frames, count): (&pprof::Frames, &isize)| {
        let mut line = frames.thread_name_or_id();
        for symbol in frames.frames.iter().rev().flat_map(|inlined| inlined.iter().rev()) {
            line.push(';');
            // A semicolon separates frames, and types such as [u8; 4] hold some.
            line.push_str(&symbol.name().replace(';', ","));
        }
        format!("{line} {count}")
    };
    capture.report.data.iter().map(line).collect()
}

/// Reads a profile as `/debug/pprof/profile` sends it, to find frames in it.
pub struct FrameReader {
    profile: Profile,
}

impl FrameReader {
    pub fn new(packed: &[u8]) -> Result<Self, String> {
        let mut bytes = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        let profile = Profile::decode(bytes.as_slice()).map_err(|e| e.to_string())?;
        Ok(Self { profile })
    }

    fn text(&self, index: i64) -> &str {
        let index = usize::try_from(index).unwrap_or(0);
        self.profile.string_table.get(index).map_or("", String::as_str)
    }

    /// Samples of threads named `app-*`, and those among them with a function of this name.
    pub fn samples(&self, function: &str) -> FrameSamples {
        let named: Vec<u64> = self
            .profile
            .function
            .iter()
            .filter(|f| self.text(f.name).contains(function))
            .map(|f| f.id)
            .collect();
        let mut found = FrameSamples {
            of_one_thread: self.profile.duration_nanos as f64 / self.profile.period.max(1) as f64,
            ..FrameSamples::default()
        };
        for sample in &self.profile.sample {
            let is_app = sample.label.iter().any(|label| {
                self.text(label.key) == "thread" && self.text(label.str).starts_with("app-")
            });
            if is_app {
                let count = sample.value.first().map_or(0, |count| count.unsigned_abs());
                found.of_app += count;
                // The crate gives each function one location, of the same id.
                if sample.location_id.iter().any(|id| named.contains(id)) {
                    found.holding += count;
                }
            }
        }
        found
    }
}
