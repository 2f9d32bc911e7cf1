//! `/log-filter`: the log filter, and a change of it that ends by itself.

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use tracing_subscriber::filter::Targets;

use super::OpsState;
use observe::{log_filter::LogFilter, settings::log_filter};
use product::{
    error::Error,
    input::{Body, Fields, Input},
};

/// Default duration of a change: a forgotten verbose log would fill the disk.
const SECONDS: u64 = 300;
const MAX_SECONDS: u64 = 3_600;

/// Maximum of characters of a filter.
const MAX_LENGTH: usize = 1_000;

pub fn router() -> Router<OpsState> {
    Router::new().route("/log-filter", get(read).put(replace))
}

struct ReplaceIn {
    filter: Targets,
    time: Duration,
}

impl Input for ReplaceIn {
    fn read(fields: &mut Fields) -> Self {
        let read = |text: String| match text.chars().count() {
            0..=MAX_LENGTH => log_filter(&text),
            _ => Err(format!("at most {MAX_LENGTH} characters are allowed")),
        };
        let filter = fields.parsed("filter", read);
        let seconds = fields.optional_number("seconds", 1..=MAX_SECONDS).unwrap_or(SECONDS);
        Self { filter, time: Duration::from_secs(seconds) }
    }
}

#[derive(Serialize)]
struct FilterOut {
    filter: String,
    /// Filter that applies again after `until`.
    at_start: String,
    /// End of the change; null if there is none.
    until: Option<String>,
}

impl From<&LogFilter> for FilterOut {
    fn from(filter: &LogFilter) -> Self {
        let state = filter.state();
        let until = state.until.map(|until| humantime::format_rfc3339_millis(until).to_string());
        Self { filter: state.filter, at_start: state.at_start, until }
    }
}

async fn read(State(OpsState { log_filter, .. }): State<OpsState>) -> Json<FilterOut> {
    Json(FilterOut::from(&log_filter))
}

async fn replace(
    State(OpsState { log_filter, .. }): State<OpsState>,
    Body(ReplaceIn { filter, time }): Body<ReplaceIn>,
) -> Result<Json<FilterOut>, Error> {
    log_filter.replace(filter, time);
    Ok(Json(FilterOut::from(&log_filter)))
}
