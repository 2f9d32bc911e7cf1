//! Solutions of chatty-logs. The log of the tests is off, so those that have lines of their own count
//! them as a logger does.

use std::sync::{
    LazyLock,
    mpsc::{SyncSender, sync_channel},
};

use axum::{Json, extract::State, routing::get};
use observability::chatty_logs::LAB;
use observe::{cost::Counter, request_cost};
use product::{
    api::state::AppState,
    db::Db,
    entity::{comments, posts},
    error::Error,
};
use sea_orm::{ColumnTrait, FromQueryResult, JoinType, QuerySelect, RelationTrait};
use serde::Serialize;
use serde_json::Value;
use workshop::Lab;

use crate::grade::{
    Constant, assert_refused, assert_refused_by_one, grade, with_yours, wrong_as_yours,
};

#[derive(Serialize, FromQueryResult)]
struct PostRow {
    id: i64,
    title: String,
    comments: i64,
}

#[derive(Serialize)]
struct Report {
    comments: i64,
    posts: Vec<PostRow>,
}

type Answer = Result<Json<Report>, Error>;

async fn report(db: &Db) -> Result<Report, Error> {
    let rows = posts::Entity::seeded()
        .select_only()
        .columns([posts::Column::Id, posts::Column::Title])
        .column_as(comments::Column::Id.count(), "comments")
        .join(JoinType::LeftJoin, posts::Relation::Comments.def())
        .group_by(posts::Column::Id);
    let posts: Vec<PostRow> = rows.into_model().all(db).await?;
    Ok(Report { comments: posts.iter().map(|post| post.comments).sum(), posts })
}

/// Counts a line as a logger does.
fn log(line: &str) {
    request_cost::add(Counter::LogLines, 1);
    request_cost::add(Counter::LogBytes, line.len() as u64);
}

fn sum(report: &Report) -> String {
    format!("made a report of {} posts, {} comments", report.posts.len(), report.comments)
}

#[test]
fn a_line_in_a_task_of_its_own_is_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let report = report(&db).await?;
        let line = sum(&report);
        tokio::spawn(async move { log(&line) });
        Ok(Json(report))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_line_for_a_thread_that_writes_is_right() {
    static QUEUE: LazyLock<SyncSender<String>> = LazyLock::new(|| {
        let (queue, lines) = sync_channel::<String>(1_000);
        std::thread::spawn(move || lines.iter().for_each(|line| log(&line)));
        queue
    });
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let report = report(&db).await?;
        // A full queue drops it.
        let _ = QUEUE.try_send(sum(&report));
        Ok(Json(report))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_line_at_each_end_is_right() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        log("makes a report");
        let report = report(&db).await?;
        log(&sum(&report));
        Ok(Json(report))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_numbers_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_refused(&failures, "log_lines: 101 for each request, at most 2 (evidence of fast)");
    assert_refused(
        &failures,
        "log_syncs: 101 for each request, at most 1 (gate log_syncs: max<=1)",
    );
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn lines_that_nobody_waits_for_are_refused_by_their_number() {
    let of_buffer = Lab { handlers: |state| wrong_as_yours(&LAB, state, "buffered"), ..LAB };
    let of_queue = Lab { handlers: |state| wrong_as_yours(&LAB, state, "non-blocking"), ..LAB };
    for lab in [of_buffer, of_queue] {
        let failures = grade(lab);
        assert_refused(&failures, "log_lines: 101 for each request, at most 2");
        assert_refused(&failures, "log_bytes: ");
        assert!(failures.iter().all(|failure| !failure.contains("log_syncs: ")), "{failures:#?}");
    }
}

#[test]
fn lines_on_the_blocking_pool_are_refused_by_their_number() {
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "spawn-blocking"), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "log_lines: 101 for each request, at most 2");
    assert_refused(&failures, "log_syncs: 101 for each request, at most 1");
}

#[test]
fn one_line_with_all_rows_is_refused_by_its_bytes_alone() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let report = report(&db).await?;
        let added = |post: &PostRow| format!("added post {}, {} comments", post.id, post.comments);
        let lines: Vec<_> = report.posts.iter().map(added).collect();
        log(&lines.join("; "));
        Ok(Json(report))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused_by_one(lab, "log_bytes: ");
}

#[test]
fn lines_in_a_task_of_its_own_are_refused() {
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Answer {
        let report = report(&db).await?;
        let ids: Vec<_> = report.posts.iter().map(|post| post.id).collect();
        tokio::spawn(async move {
            for id in ids {
                log(&format!("added post {id}"));
            }
        });
        Ok(Json(report))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "log_lines: 100 for each request, at most 2");
    assert_refused(&failures, "the request's own record has 0, so a task or a thread beside it");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(State(AppState { db, .. }): State<AppState>) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let answer = serde_json::to_value(report(&db).await?).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows, the JSON differs");
}
