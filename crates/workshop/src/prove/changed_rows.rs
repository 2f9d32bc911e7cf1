//! Changes the rows that labs read, at random: an answer that was made before, or that does not come
//! from the rows, is then a wrong one. No request can change these rows, so it is done in the
//! database, whose server sees it as it sees another instance's writes.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use product::{
    config::DatabaseConfig,
    db::{Db, Transaction},
    entity::{comments, posts, todo_tags, todos, users},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, IntoActiveModel, ModelTrait,
};

use crate::lab::Lab;

/// Changes the rows of a database that a server uses, those of the lab too.
pub async fn in_database(url: String, lab: &Lab) -> Result<(), DbErr> {
    let db = Db::connect(&DatabaseConfig::of(url, 1)).await?;
    let changed = change(&db, lab).await;
    db.close().await?;
    changed
}

/// Changes every seeded column that labs show, in at least one row, and adds and removes rows. The
/// number of seeded posts stays: evidence of labs counts queries by it. A lab that answers with rows
/// of its own says how those change.
pub async fn change(db: &Db, lab: &Lab) -> Result<(), DbErr> {
    let txn = db.begin().await?;
    change_posts(&txn).await?;
    change_todos(&txn).await?;
    if let Some(change) = lab.data.change {
        change(&txn).await?;
    }
    txn.commit().await
}

async fn change_posts(txn: &Transaction) -> Result<(), DbErr> {
    let posts = posts::Entity::seeded().all(txn).await?;
    let authors: BTreeSet<i64> = posts.iter().map(|post| post.author_id).collect();
    let [changed, commented, quiet] = some_of(posts)?;
    let another = authors.into_iter().find(|author| *author != changed.author_id);
    let another = another.ok_or_else(|| missing("a second author"))?;
    let of = posts::ActiveModel {
        author_id: Set(another),
        title: Set(format!("Changed to {}", random())),
        body: Set(format!("Once more, with {}.", random())),
        created_at: Set(later(changed.created_at)),
        ..changed.into_active_model()
    };
    of.update(txn).await?;

    let author = users::Entity::find_by_id(quiet.author_id).one(txn).await?;
    let author = author.ok_or_else(|| missing("the author of a seeded post"))?;
    let renamed = users::ActiveModel {
        username: Set(format!("demo-{}", random())),
        ..author.into_active_model()
    };
    renamed.update(txn).await?;

    for comment in quiet.find_related(comments::Entity).all(txn).await? {
        comment.delete(txn).await?;
    }
    let comments = (0..4).map(|n| comments::ActiveModel {
        id: NotSet,
        post_id: Set(commented.id),
        author_id: Set(another),
        body: Set(format!("Number {n} of {}", random())),
        created_at: Set(later(commented.created_at)),
    });
    comments::Entity::insert_many(comments).exec_without_returning(txn).await?;
    Ok(())
}

async fn change_todos(txn: &Transaction) -> Result<(), DbErr> {
    let [changed, untagged, tagged] = some_of(todos::Entity::demo().all(txn).await?)?;
    let now = later(changed.updated_at);
    let of = todos::ActiveModel {
        title: Set(format!("Changed to {}", random())),
        completed: Set(!changed.completed),
        updated_at: Set(now),
        ..changed.into_active_model()
    };
    of.update(txn).await?;
    for tag in untagged.find_related(todo_tags::Entity).all(txn).await? {
        tag.delete(txn).await?;
    }
    let added = todos::ActiveModel {
        id: NotSet,
        user_id: Set(todos::DEMO_OWNER_ID),
        title: Set(format!("Added: {}", random())),
        description: Set(None),
        completed: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let added = added.insert(txn).await?;
    let tags = [tagged.id, added.id].map(|todo_id| todo_tags::ActiveModel {
        todo_id: Set(todo_id),
        name: Set(format!("added-{}", random())),
    });
    todo_tags::Entity::insert_many(tags).exec_without_returning(txn).await?;
    Ok(())
}

/// Different rows, chosen at random: an answer made for some of them would be found out.
fn some_of<T, const N: usize>(mut rows: Vec<T>) -> Result<[T; N], DbErr> {
    fastrand::shuffle(&mut rows);
    rows.truncate(N);
    rows.try_into().map_err(|_| missing("seeded rows"))
}

fn missing(what: &str) -> DbErr {
    DbErr::RecordNotFound(format!("{what}; was the database seeded?"))
}

fn random() -> String {
    format!("{:08x}", fastrand::u32(..))
}

fn later(time: DateTime<Utc>) -> DateTime<Utc> {
    time + Duration::days(1)
}
