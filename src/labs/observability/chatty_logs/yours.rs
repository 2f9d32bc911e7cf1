//! Yours: starts as slow does. Edit and save it; `chokepoint watch chatty-logs` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Json, extract::State};

use super::{Report, report_log, rows};
use product::{api::state::AppState, error::Error};

pub async fn handler(State(AppState { db, .. }): State<AppState>) -> Result<Json<Report>, Error> {
    let mut report = Report::default();
    for post in rows(&db).await? {
        report_log::info(format_args!("added post {}, {} comments", post.id, post.comments));
        report.add(post);
    }
    let (posts, comments) = (report.posts.len(), report.comments);
    report_log::info(format_args!("made a report of {posts} posts, {comments} comments"));
    Ok(Json(report))
}
