//! `/labs/{id}/yours`: the learner's files as they are on disk, where the server runs in a checkout.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    routing::get,
};
use serde::Serialize;

use super::{OpsState, labs::find};
use product::error::Error;
use workshop::progress::yours::{File, files};

pub fn router() -> Router<OpsState> {
    Router::new().route("/labs/{id}/yours", get(yours))
}

#[derive(Serialize)]
struct YoursOut {
    path: String,
    text: String,
    start: String,
    is_edited: bool,
    /// All of the learner's files: yours.sql too, in a lab that has one.
    files: Vec<FileOut>,
}

#[derive(Serialize)]
struct FileOut {
    name: &'static str,
    path: String,
    text: String,
    is_edited: bool,
}

async fn yours(
    State(OpsState { labs, .. }): State<OpsState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<YoursOut>, Error> {
    let loaded = find(&labs, id)?;
    // Relative, so that no answer tells where the checkout is.
    let (folder, id) = (loaded.folder(), loaded.lab.id);
    let place = folder.clone();
    let read = tokio::task::spawn_blocking(move || files(&folder, id));
    let read = read.await.map_err(Error::internal)?.map_err(|error| {
        tracing::debug!(error, "the learner's files can't be read");
        Error::NotFound(
            "yours.rs is not here: start the server in the folder of the repository, which has \
             src/labs"
                .to_owned(),
        )
    })?;
    let path = |name: &str| place.join(name).display().to_string();
    let out = |file: &File| FileOut {
        name: file.name,
        path: path(file.name),
        text: file.text.clone(),
        is_edited: file.is_edited(),
    };
    let all = read.iter().map(out).collect();
    let first = read.into_iter().next().ok_or_else(Error::no_route)?;
    let (path, is_edited) = (path(first.name), first.is_edited());
    let File { text, start, .. } = first;
    Ok(Json(YoursOut { path, text, start, is_edited, files: all }))
}
