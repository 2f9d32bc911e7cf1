//! Demo rows of every new database: people, 100 posts with comments, 100 todos with tags.
//!
//! All of it is computed from row numbers, so every machine serves the same bytes.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

use crate::{
    db::{Db, Transaction},
    entity::{comments, posts, todo_tags, todos, users},
};

/// Seeded usernames hold a hyphen, which registration refuses: nobody can take one.
const AUTHORS: [&str; 10] = [
    "demo-ada",
    "demo-grace",
    "demo-edsger",
    "demo-barbara",
    "demo-donald",
    "demo-frances",
    "demo-tony",
    "demo-leslie",
    "demo-margaret",
    "demo-ken",
];
const TOPICS: [&str; 5] = ["latency", "throughput", "queues", "caches", "profiles"];
const TAGS: [&str; 4] = ["home", "urgent", "waiting", "work"];

/// Rows of one INSERT; SQLite takes at most 32,766 bound values, PostgreSQL 65,535; a post has 5.
const BATCH: u64 = 500;

/// Time of the first seeded row in Unix seconds: 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600;

fn written_at(n: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(EPOCH) + Duration::minutes(n as i64)
}

/// Inserts the demo rows. Safe to repeat: a database that has them is left alone.
pub async fn demo_rows(txn: &Transaction) -> Result<(), DbErr> {
    if users::Entity::find_by_id(todos::DEMO_OWNER_ID).count(txn).await? > 0 {
        return Ok(());
    }
    let people = AUTHORS.iter().zip(1..).map(|(name, n)| users::ActiveModel {
        id: NotSet,
        username: Set((*name).to_owned()),
        email: Set(format!("{name}@example.com")),
        password_hash: Set(None),
        created_at: Set(written_at(n)),
    });
    users::Entity::insert_many(people).exec(txn).await?;
    insert_posts(txn, 1, posts::SEEDED).await?;
    insert_comments(txn).await?;
    insert_todos(txn).await
}

/// Adds seeded posts up to a total of `wanted`, in batches; `progress` gets the total so far.
/// Returns the number of added posts.
pub async fn posts_up_to(
    db: &Db,
    wanted: u64,
    mut progress: impl FnMut(u64),
) -> Result<u64, DbErr> {
    let before = count_seeded(db).await?;
    let mut next = 1;
    while next <= wanted {
        let last = wanted.min(next + BATCH - 1);
        insert_posts(db, next, last).await?;
        progress(last);
        next = last + 1;
    }
    Ok(count_seeded(db).await? - before)
}

async fn count_seeded(db: &Db) -> Result<u64, DbErr> {
    posts::Entity::find()
        .filter(posts::Column::Slug.starts_with(posts::SEED_PREFIX))
        .count(db)
        .await
}

async fn author_ids(db: &impl ConnectionTrait) -> Result<Vec<i64>, DbErr> {
    let known: HashMap<String, i64> = users::Entity::find()
        .select_only()
        .column(users::Column::Username)
        .column(users::Column::Id)
        .filter(users::Column::Username.is_in(AUTHORS))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    AUTHORS
        .iter()
        .map(|name| known.get(*name).copied())
        .collect::<Option<_>>()
        .ok_or_else(|| DbErr::RecordNotFound("the demo authors; migrate and seed first".into()))
}

async fn insert_posts(db: &impl ConnectionTrait, first: u64, last: u64) -> Result<(), DbErr> {
    let authors = author_ids(db).await?;
    let rows = (first..=last).map(|n| {
        let topic = TOPICS[n as usize % TOPICS.len()];
        posts::ActiveModel {
            id: NotSet,
            author_id: Set(authors[n as usize % authors.len()]),
            slug: Set(posts::seed_slug(n)),
            title: Set(format!("Notes on {topic}, part {n}")),
            body: Set(format!("What we measured about {topic} on day {n}.")),
            created_at: Set(written_at(n)),
        }
    });
    posts::Entity::insert_many(rows)
        .on_conflict(OnConflict::column(posts::Column::Slug).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Inserts n mod 4 comments for post n, so that some have none.
async fn insert_comments(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let authors = author_ids(db).await?;
    let ids: Vec<i64> = posts::Entity::seeded()
        .select_only()
        .column(posts::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let rows = ids.iter().zip(1..).flat_map(|(id, n)| {
        let author = authors[(n as usize + 1) % authors.len()];
        (0..n % 4).map(move |k| comments::ActiveModel {
            id: NotSet,
            post_id: Set(*id),
            author_id: Set(author),
            body: Set(format!("Comment {} on part {n}.", k + 1)),
            created_at: Set(written_at(n + k)),
        })
    });
    comments::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Inserts todos. Todo n gets 1 to 3 tags; every third is completed.
async fn insert_todos(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let rows = (1..=todos::DEMO).map(|n| todos::ActiveModel {
        id: NotSet,
        user_id: Set(todos::DEMO_OWNER_ID),
        title: Set(format!("Measure {} again ({n})", TOPICS[n as usize % TOPICS.len()])),
        description: Set((n % 2 == 0).then(|| format!("Compare with run {}.", n - 1))),
        completed: Set(n % 3 == 0),
        created_at: Set(written_at(n)),
        updated_at: Set(written_at(n)),
    });
    todos::Entity::insert_many(rows).exec_without_returning(db).await?;
    let ids: Vec<i64> =
        todos::Entity::demo().select_only().column(todos::Column::Id).into_tuple().all(db).await?;
    let tags = ids.iter().zip(1_usize..).flat_map(|(id, n)| {
        (0..=n % 3).map(move |k| todo_tags::ActiveModel {
            todo_id: Set(*id),
            name: Set(TAGS[(n + k) % TAGS.len()].to_owned()),
        })
    });
    todo_tags::Entity::insert_many(tags).exec_without_returning(db).await?;
    Ok(())
}
