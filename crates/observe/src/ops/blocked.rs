//! `/debug/blocked`: the last polls that held a worker, with their requests; JSON or HTML.

use std::{collections::HashMap, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::Ops;
use crate::{
    blocked::{BLOCKED_FROM, BlockedPoll},
    cost::Counter,
    error::Error,
    format::{Format, format},
    labels::Labels,
    params::Params,
};

/// HTML page of the list.
mod page;

pub fn router() -> Router<Ops> {
    Router::new().route("/debug/blocked", get(list))
}

#[derive(Serialize)]
struct ListOut<'a> {
    /// Shortest poll that is listed, in milliseconds.
    from_ms: f64,
    /// Number of such polls since the start, of all routes.
    seen: u64,
    /// Newest first.
    polls: Vec<PollOut<'a>>,
}

#[derive(Serialize)]
struct PollOut<'a> {
    started: String,
    route: &'a str,
    #[serde(flatten)]
    labels: &'a Labels,
    duration_ms: f64,
    /// Null on systems that do not measure it for one thread.
    cpu_ms: Option<f64>,
    switches: Option<u64>,
    request_id: &'a str,
    trace_id: &'a str,
}

impl<'a> From<&'a BlockedPoll> for PollOut<'a> {
    fn from(poll: &'a BlockedPoll) -> Self {
        let is_measured = Counter::Switches.is_measured();
        Self {
            started: humantime::format_rfc3339_micros(poll.started).to_string(),
            route: &poll.route,
            labels: &poll.labels,
            duration_ms: millis(poll.wall),
            cpu_ms: is_measured.then(|| millis(poll.cpu)),
            switches: is_measured.then_some(poll.switches),
            request_id: &poll.ids.request,
            trace_id: &poll.ids.trace,
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

async fn list(
    State(Ops { labels, blocked, .. }): State<Ops>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let route = query.get("route").cloned();
    let mut params = Params::new(query);
    let format = format(&mut params, &headers);
    let named = params.labels(&labels);
    params.finish()?;
    let (mut polls, seen) = blocked.newest();
    polls.retain(|poll| {
        let is_of_route = route.as_ref().is_none_or(|route| *route == poll.route);
        is_of_route && poll.labels.match_all(&named)
    });
    Ok(match format {
        Format::Html => page::list(&polls, seen, &labels).into_response(),
        Format::Json => {
            let polls = polls.iter().map(PollOut::from).collect();
            Json(ListOut { from_ms: millis(BLOCKED_FROM), seen, polls }).into_response()
        }
    })
}
