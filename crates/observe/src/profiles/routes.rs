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

/// Longer profiles would hold the one profiler for too long.
const MAX_SECONDS: u32 = 120;
/// Above this the signals themselves become the load.
const MAX_HZ: u32 = 500;
/// Not 100, which would beat with everything that ticks 100 times a second.
const DEFAULT_HZ: u32 = 99;
/// Heap sampling goes off by itself: ten minutes unless something else is said, at most an hour.
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
        labels: state.labels.read_whole(&mut params),
    };
    params.finish()?;
    let capture = take(request, state.captures.clone()).await?;
    format.send(capture).await
}

/// How a capture is sent.
#[derive(Clone, Copy)]
pub enum Format {
    Pprof,
    Svg,
}

impl Format {
    pub fn of(params: &mut Params) -> Self {
        let formats = [("pprof", Self::Pprof), ("svg", Self::Svg)];
        params.one_of("format", &formats, Some(Self::Pprof)).unwrap_or(Self::Pprof)
    }

    /// With its id in a header, so that whoever took it finds it among the captures.
    pub async fn send(self, capture: std::sync::Arc<Capture>) -> Result<Response, Error> {
        let id = [(HeaderName::from_static("x-capture-id"), capture.id.to_string())];
        if let Self::Svg = self {
            let drawn = apart(move || flame::draw(&capture)).await?;
            return Ok((id, picture(drawn)).into_response());
        }
        let name = format!("{}-{}.pb.gz", capture.mode.name(), capture.id);
        let headers = [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        ];
        Ok((id, headers, capture.packed.clone()).into_response())
    }
}

/// The picture brings its own script and style, and nothing from elsewhere.
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
