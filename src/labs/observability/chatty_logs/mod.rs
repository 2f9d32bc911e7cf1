//! A report that tells its log about each row, and waits until the disk has the line. The handler
//! makes one query, so the database looks good; look at `log_lines` and `log_syncs`.

use axum::routing::get;
use product::{
    db::Db,
    entity::{comments, posts},
    error::Error,
};
use sea_orm::{ColumnTrait, FromQueryResult, JoinType, QuerySelect, RelationTrait};
use serde::Serialize;
use workshop::{Data, Handlers, Lab};

mod fast;
/// Non-blocking writer of that log.
mod log_queue;
/// Log of the reports, in a file of its own.
mod report_log;
mod slow;
mod wrong;
mod yours;

pub static LAB: Lab = Lab {
    id: "chatty-logs",
    evidence: include_str!("lab.json"),
    readme: include_str!("README.md"),
    slow_source: include_str!("slow.rs"),
    fast_source: include_str!("fast.rs"),
    flow: None,
    counters: &[&report_log::LOG_SYNCS],
    data: Data {
        set_up: Some(|_state| Box::pin(async { Ok(report_log::open()?) })),
        reset: Some(|_state| Box::pin(async { Ok(report_log::empty()?) })),
        ..Data::NONE
    },
    handlers: |_state| Handlers {
        slow: get(slow::handler),
        fast: get(fast::handler),
        yours: get(yours::handler),
        wrong: vec![
            ("buffered", get(wrong::buffered)),
            ("spawn-blocking", get(wrong::on_the_blocking_pool)),
            ("non-blocking", get(wrong::non_blocking)),
        ],
    },
};

/// A post, and the number of its comments.
#[derive(Serialize, FromQueryResult)]
pub struct PostRow {
    id: i64,
    title: String,
    comments: i64,
}

/// All posts with their comments counted, and the sum.
#[derive(Default, Serialize)]
pub struct Report {
    comments: i64,
    posts: Vec<PostRow>,
}

impl Report {
    fn add(&mut self, post: PostRow) {
        self.comments += post.comments;
        self.posts.push(post);
    }
}

/// Rows of the report, oldest post first: one query.
async fn rows(db: &Db) -> Result<Vec<PostRow>, Error> {
    let rows = posts::Entity::seeded()
        .select_only()
        .columns([posts::Column::Id, posts::Column::Title])
        .column_as(comments::Column::Id.count(), "comments")
        .join(JoinType::LeftJoin, posts::Relation::Comments.def())
        .group_by(posts::Column::Id);
    Ok(rows.into_model().all(db).await?)
}
