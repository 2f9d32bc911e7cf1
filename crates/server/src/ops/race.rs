//! `/labs/{id}/race`: starts a race, shows it, follows it, stops it.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{OpsState, labs::find};
use product::{
    error::{Error, FieldError},
    input::{Body, Fields, Input},
};
use workshop::race::{
    Follower, MOST_SECONDS, MOST_VISITORS, Message, Mode, NotNow, Plan, RaceOut, Wish,
};

/// Interval of comments in a stream without news, for proxies and for clients that have gone.
const KEPT_ALIVE_EVERY: Duration = Duration::from_secs(5);
/// Time after which a browser connects again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Tells nginx not to collect events.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

pub fn router() -> Router<OpsState> {
    Router::new()
        .route("/labs/{id}/race", get(show).post(start).delete(stop))
        .route("/labs/{id}/race/events", get(events))
        .route("/races/running", get(running))
}

type Id = Result<Path<String>, PathRejection>;

struct WishIn(Wish);

impl Input for WishIn {
    const MAX_BYTES: usize = 4 * 1024;

    fn read(fields: &mut Fields) -> Self {
        let lanes = fields.texts("lanes");
        let mode = fields.optional_text("mode", 0..=20).flatten();
        let mode = match mode.as_deref() {
            None => Mode::Turns,
            Some(name) => {
                let known = Mode::ALL.into_iter().find(|mode| mode.name() == name);
                known.unwrap_or_else(|| {
                    let names = Mode::ALL.map(Mode::name).join(", ");
                    fields.refuse("mode", format!("one of {names} is needed"));
                    Mode::Turns
                })
            }
        };
        let mut number = |field, most: u32| {
            let number = fields.optional_number(field, 1..=most.into());
            number.and_then(|number| u32::try_from(number).ok())
        };
        let visitors = number("visitors", MOST_VISITORS);
        let seconds = number("seconds", MOST_SECONDS);
        let captures = fields.optional_flag("captures");
        Self(Wish { lanes, mode, visitors, seconds, captures })
    }
}

async fn start(
    State(OpsState { labs, races, .. }): State<OpsState>,
    id: Id,
    Body(WishIn(wish)): Body<WishIn>,
) -> Result<Response, Error> {
    let loaded = find(&labs, id)?;
    let plan = Plan::of(wish, loaded).map_err(|refused| {
        let error =
            |refused: workshop::race::Refused| FieldError::new(refused.field, refused.reason);
        Error::Invalid(refused.into_iter().map(error).collect())
    })?;
    let race = races.start(loaded, plan).map_err(|not_now| match not_now {
        NotNow::Busy { .. } => Error::Conflict(not_now.to_string()),
        NotNow::Closed => Error::Overloaded("the server stops, so it starts no race"),
        NotNow::NoThread(_) => Error::internal(not_now),
    })?;
    let location = format!("/labs/{}/race", race.lab);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(race.out(false))).into_response())
}

async fn show(
    State(OpsState { labs, races, .. }): State<OpsState>,
    id: Id,
) -> Result<Json<RaceOut>, Error> {
    let lab = find(&labs, id)?.lab.id;
    let race = races.of(lab);
    let race = race.ok_or_else(|| Error::NotFound(format!("{lab} has had no race yet")))?;
    Ok(Json(race.out(true)))
}

async fn stop(
    State(OpsState { labs, races, .. }): State<OpsState>,
    id: Id,
) -> Result<StatusCode, Error> {
    let lab = find(&labs, id)?.lab.id;
    let race = races.current().filter(|race| race.lab == lab);
    let race = race.ok_or_else(|| Error::NotFound(format!("no race of {lab} runs")))?;
    race.stop();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct RunningOut {
    lab: Option<&'static str>,
    id: Option<u64>,
}

async fn running(State(OpsState { races, .. }): State<OpsState>) -> Json<RunningOut> {
    let race = races.current();
    let (lab, id) = (race.as_ref().map(|race| race.lab), race.as_ref().map(|race| race.id));
    Json(RunningOut { lab, id })
}

async fn events(
    State(OpsState { labs, races, .. }): State<OpsState>,
    id: Id,
) -> Result<Response, Error> {
    let lab = find(&labs, id)?.lab.id;
    let follower = races.follow(lab);
    let follower = follower.ok_or(Error::Overloaded("too many follow races already"))?;
    let begin = Event::default().retry(AGAIN_AFTER).comment("following");
    let next = async |mut follower: Follower| {
        let message = follower.next().await?;
        Some((event(message), follower))
    };
    let messages = stream::unfold(follower, next);
    let all = stream::iter([begin]).chain(messages).map(Ok::<_, Infallible>);
    let kept_alive = KeepAlive::new().interval(KEPT_ALIVE_EVERY);
    Ok(([UNBUFFERED], Sse::new(all).keep_alive(kept_alive)).into_response())
}

fn event(Message { event, data, id }: Message) -> Event {
    let out = Event::default().event(event).data(data);
    match id {
        Some(id) => out.id(id.to_string()),
        None => out,
    }
}
