//! Access log: one line for each request, with its cost, handed to the writer thread of the log.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};
use tracing_appender::non_blocking::NonBlocking;

use super::{
    cost::{
        Cost, CostOut, Counter,
        row::{Names, Unit},
    },
    request_id::Ids,
    shown::shown,
};
use crate::settings::LogFormat;

/// The line on a terminal.
mod terminal;

/// Most characters of a path in the log: lines that wait for the writer take memory.
const MAX_PATH: usize = 2_000;

#[derive(Clone)]
pub struct AccessLog {
    writer: NonBlocking,
    look: Look,
}

/// Look of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Json,
    /// All counters, for a file.
    Pretty,
    /// One line of a screen.
    Terminal {
        is_coloured: bool,
    },
}

impl Look {
    /// Look of a format. On a terminal it has colours, unless `NO_COLOR` is set.
    pub fn of(format: LogFormat, is_terminal: bool) -> Self {
        match format {
            LogFormat::Json => Self::Json,
            LogFormat::Pretty if is_terminal => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                Self::Terminal { is_coloured: !refused }
            }
            LogFormat::Pretty => Self::Pretty,
        }
    }
}

/// Fields of the line that describe the request.
#[derive(Serialize)]
pub struct Request<'a> {
    #[serde(flatten)]
    pub ids: &'a Ids,
    pub method: &'a str,
    #[serde(serialize_with = "escaped")]
    pub route: &'a str,
    /// Path without the query, which may hold secrets.
    #[serde(serialize_with = "escaped")]
    pub path: &'a str,
    pub status: u16,
}

/// The line as JSON.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    target: &'static str,
    #[serde(flatten)]
    request: &'a Request<'a>,
    #[serde(flatten)]
    cost: CostOut<'a>,
}

impl AccessLog {
    pub fn new(writer: NonBlocking, look: Look) -> Self {
        Self { writer, look }
    }

    pub fn is_enabled() -> bool {
        tracing::enabled!(target: "access", tracing::Level::INFO)
    }

    /// Writes the line of a request with these own counters. A full queue drops and counts it.
    pub fn write(&self, request: &Request<'_>, cost: &Cost, own: &[Counter]) {
        let mut line = match self.look {
            Look::Json => json(request, cost, own),
            Look::Pretty => pretty(request, cost, own),
            Look::Terminal { is_coloured } => {
                terminal::line(request, cost, SystemTime::now(), is_coloured).into_bytes()
            }
        };
        line.push(b'\n');
        // The writer never fails: it queues the line, or counts it as dropped.
        let _ = self.writer.clone().write_all(&line);
    }
}

fn timestamp() -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_micros(SystemTime::now())
}

fn json(request: &Request<'_>, cost: &Cost, own: &[Counter]) -> Vec<u8> {
    let line = Line {
        timestamp: timestamp().to_string(),
        level: "INFO",
        target: "access",
        request,
        cost: CostOut { cost, own },
    };
    // Text and numbers can always be written.
    serde_json::to_vec(&line).unwrap_or_default()
}

fn pretty(request: &Request<'_>, cost: &Cost, own: &[Counter]) -> Vec<u8> {
    let Request { ids, method, path, status, .. } = request;
    let elapsed = Duration::from_micros(cost.value(Counter::ElapsedMs) / 1_000);
    let mut line = format!("{} {method} {} {status} {elapsed:?}", timestamp(), logged(path));
    let counts =
        cost.shown(own).filter(|(row, value)| *value > 0 && row.names.json != "elapsed_ms");
    for (row, value) in counts {
        let Names { trend, .. } = row.names;
        line.push_str(&match row.unit {
            Unit::Count => format!(" {trend}={value}"),
            Unit::Time => format!(" {trend}={:?}", Duration::from_micros(value / 1_000)),
            Unit::Share => continue,
        });
    }
    line.push_str(&format!(" request_id={} trace_id={}", ids.request, ids.trace));
    line.into_bytes()
}

/// Text as it may stand in a log, and its first part only if it is long.
fn logged(text: &str) -> String {
    let end = text.char_indices().nth(MAX_PATH).map(|(end, _)| end);
    match end {
        Some(end) => format!("{}…", shown(&text[..end])),
        None => shown(text).into_owned(),
    }
}

fn escaped<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&logged(text))
}
