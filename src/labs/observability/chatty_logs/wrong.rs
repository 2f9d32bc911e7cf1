//! The fixes that people try first: each takes away the wait, or moves it, and keeps every line.

use axum::{Json, extract::State};
use observe::task::spawn_blocking;

use super::{Report, log_queue, report_log, rows};
use product::{api::state::AppState, error::Error};

/// Collects the lines in memory and flushes them once: one wait, and as many lines and bytes.
pub async fn buffered(State(AppState { db, .. }): State<AppState>) -> Result<Json<Report>, Error> {
    let mut report = Report::default();
    let mut log = report_log::Buffer::default();
    for post in rows(&db).await? {
        log.info(format_args!("added post {}, {} comments", post.id, post.comments));
        report.add(post);
    }
    let (posts, comments) = (report.posts.len(), report.comments);
    log.info(format_args!("made a report of {posts} posts, {comments} comments"));
    log.flush();
    Ok(Json(report))
}

/// Has a thread of the blocking pool write each line: the worker is free, and the visitor waits for
/// every line as before.
pub async fn on_the_blocking_pool(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Report>, Error> {
    let mut report = Report::default();
    for post in rows(&db).await? {
        let (id, comments) = (post.id, post.comments);
        let log = move || report_log::info(format_args!("added post {id}, {comments} comments"));
        spawn_blocking(log).await.map_err(Error::internal)?;
        report.add(post);
    }
    let (posts, comments) = (report.posts.len(), report.comments);
    let log = move || {
        report_log::info(format_args!("made a report of {posts} posts, {comments} comments"));
    };
    spawn_blocking(log).await.map_err(Error::internal)?;
    Ok(Json(report))
}

/// Hands each line to the writer thread: no request waits, and there are as many lines and bytes.
pub async fn non_blocking(
    State(AppState { db, .. }): State<AppState>,
) -> Result<Json<Report>, Error> {
    let mut report = Report::default();
    for post in rows(&db).await? {
        log_queue::info(format_args!("added post {}, {} comments", post.id, post.comments));
        report.add(post);
    }
    let (posts, comments) = (report.posts.len(), report.comments);
    log_queue::info(format_args!("made a report of {posts} posts, {comments} comments"));
    Ok(Json(report))
}
