//! `/debug/pprof`: takes a profile, and answers with it as pprof protobuf or as a flame graph.

use std::{collections::HashMap, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Mode, ProfileState, Request, Sampling, apart, flame, heap, kept::Capture, take};
use crate::{error::Error, params::Params};

/// Longest profile, in seconds: a longer one would block the one profiler for too long.
const MAX_SECONDS: u32 = 120;
/// Most samples per second: above this the signals themselves become the load.
const MAX_HZ: u32 = 500;
/// Samples per second by default: 100 would be in step with everything that ticks at 100 Hz.
const DEFAULT_HZ: u32 = 99;
/// Seconds until heap sampling switches off by itself: by default, and at most.
const SAMPLING_SECONDS: u32 = 600;
const MAX_SAMPLING_SECONDS: u32 = 3600;

pub fn router() -> Router<ProfileState> {
    Router::new()
        .route("/debug/pprof/profile", get(profile))
        .route("/debug/pprof/flamegraph", get(flame_graph))
        .route("/debug/pprof/heap", get(heap_profile).put(heap_sampling))
}

pub type Given = Query<HashMap<String, String>>;

async fn profile(
    State(state): State<ProfileState>,
    Query(query): Given,
) -> Result<Response, Error> {
    answer(&state, Params::new(query), None, Format::Pprof).await
}

async fn flame_graph(
    State(state): State<ProfileState>,
    Query(query): Given,
) -> Result<Response, Error> {
    answer(&state, Params::new(query), None, Format::Svg).await
}

async fn heap_profile(
    State(state): State<ProfileState>,
    Query(query): Given,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let format = Format::of(&mut params);
    answer(&state, params, Some(Mode::Heap), format).await
}

async fn answer(
    state: &ProfileState,
    mut params: Params,
    mode: Option<Mode>,
    format: Format,
) -> Result<Response, Error> {
    let modes = Mode::ALL.map(|mode| (mode.name(), mode));
    let mode = mode.or_else(|| params.one_of("mode", &modes, Some(Mode::Cpu))).unwrap_or(Mode::Cpu);
    let request = Request {
        mode,
        seconds: params.number("seconds", 1..=MAX_SECONDS, 5),
        hz: params.number("hz", 1..=MAX_HZ, DEFAULT_HZ),
        with_idle: params.number("idle", 0..=1, 0) == 1,
        labels: params.whole_labels(&state.labels),
    };
    params.finish()?;
    let capture = take(request, state.captures.clone()).await?;
    format.send(capture).await
}

/// Format of a capture in an answer.
#[derive(Clone, Copy)]
pub enum Format {
    Pprof,
    Svg,
    /// Text of one line for each stack, as flame graph programs read it.
    Stacks,
}

impl Format {
    pub fn of(params: &mut Params) -> Self {
        let formats = [("pprof", Self::Pprof), ("svg", Self::Svg), ("stacks", Self::Stacks)];
        params.one_of("format", &formats, Some(Self::Pprof)).unwrap_or(Self::Pprof)
    }

    /// Sends a capture with its id in a header, so that the client finds it among the captures.
    pub async fn send(self, capture: std::sync::Arc<Capture>) -> Result<Response, Error> {
        let id = [(HeaderName::from_static("x-capture-id"), capture.id.to_string())];
        if let Self::Svg = self {
            let drawn = apart(move || flame::draw(&capture)).await?;
            return Ok((id, picture(drawn)).into_response());
        }
        if let Self::Stacks = self {
            let text = apart(move || flame::folded(&capture)).await?;
            return Ok((id, text).into_response());
        }
        let name = format!("{}-{}.pb.gz", capture.mode.name(), capture.id);
        let headers = [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        ];
        Ok((id, headers, capture.packed.clone()).into_response())
    }
}

/// Answers with an SVG, whose own script and style are allowed, and nothing from elsewhere.
pub fn picture(svg: Vec<u8>) -> impl IntoResponse {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    ([(CONTENT_TYPE, "image/svg+xml"), (CONTENT_SECURITY_POLICY, POLICY)], svg)
}

/// Switches heap sampling on for a while, or off.
async fn heap_sampling(Query(query): Given) -> Result<Json<Sampling>, Error> {
    let mut params = Params::new(query);
    let active = params.one_of("active", &[("true", true), ("false", false)], None);
    let seconds = params.number("seconds", 1..=MAX_SAMPLING_SECONDS, SAMPLING_SECONDS);
    params.finish()?;
    let on_for = (active == Some(true)).then(|| Duration::from_secs(seconds.into()));
    Ok(Json(heap::switch(on_for).await?))
}
