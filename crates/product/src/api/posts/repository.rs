//! Queries and statements. A list costs two queries, however long it is: the posts with their
//! authors, and the number of comments of each.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait, Select,
    prelude::Expr,
    sea_query::{ExprTrait, IntoColumnRef, SimpleExpr},
};

use super::{
    bodies::PostPatch,
    paging::{COMMENTS, Cursor, POSTS, PageOf},
};
use crate::{
    db::now,
    entity::{comments, posts, users},
};

/// A post without its body, and its author's name.
#[derive(FromQueryResult)]
pub struct PostRow {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub author_id: i64,
    pub username: String,
    pub created_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
pub struct CommentRow {
    pub id: i64,
    pub post_id: i64,
    pub author_id: i64,
    pub username: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
}

/// Compares `(created_at, id)` as one value: the index on both finds the place at once.
fn place(created_at: impl IntoColumnRef, id: impl IntoColumnRef) -> Expr {
    Expr::tuple([Expr::col(created_at), Expr::col(id)])
}

fn place_of(cursor: Cursor) -> SimpleExpr {
    Expr::tuple([Expr::value(cursor.created_at), Expr::value(cursor.id)])
}

fn summaries() -> Select<posts::Entity> {
    use posts::Column::{AuthorId, CreatedAt, Id, Slug, Title};
    posts::Entity::find()
        .select_only()
        .columns([Id, Slug, Title, AuthorId, CreatedAt])
        .column(users::Column::Username)
        .join(JoinType::InnerJoin, posts::Relation::Author.def())
}

/// Posts, newest first: all, or those of one author.
pub async fn list(db: &impl ConnectionTrait, page: &PageOf<POSTS>) -> Result<Vec<PostRow>, DbErr> {
    let column = |column: posts::Column| (posts::Entity, column);
    let mut query = summaries()
        .order_by_desc(posts::Column::CreatedAt)
        .order_by_desc(posts::Column::Id)
        .limit(page.rows());
    if let Some(after) = page.after {
        let place = place(column(posts::Column::CreatedAt), column(posts::Column::Id));
        query = query.filter(place.lt(place_of(after)));
    }
    if let Some(author) = page.author {
        query = query.filter(posts::Column::AuthorId.eq(author));
    }
    query.into_model().all(db).await
}

/// A post, with its body beside the rest.
pub async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Option<(PostRow, String)>, DbErr> {
    #[derive(FromQueryResult)]
    struct WithBody {
        #[sea_orm(nested)]
        row: PostRow,
        body: String,
    }
    let found = summaries().column(posts::Column::Body).filter(posts::Column::Id.eq(id));
    let found = found.into_model::<WithBody>().one(db).await?;
    Ok(found.map(|WithBody { row, body }| (row, body)))
}

/// Number of comments of each of these posts. A post without comments is left out.
pub async fn comment_counts(
    db: &impl ConnectionTrait,
    posts: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, i64>, DbErr> {
    let counts: Vec<(i64, i64)> = comments::Entity::find()
        .select_only()
        .column(comments::Column::PostId)
        .column_as(comments::Column::Id.count(), "comments")
        .filter(comments::Column::PostId.is_in(posts))
        .group_by(comments::Column::PostId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(counts.into_iter().collect())
}

/// Row of a post, to be changed.
pub async fn row(db: &impl ConnectionTrait, id: i64) -> Result<Option<posts::Model>, DbErr> {
    posts::Entity::find_by_id(id).one(db).await
}

pub async fn insert(
    db: &impl ConnectionTrait,
    author_id: i64,
    slug: String,
    title: String,
    body: String,
) -> Result<i64, DbErr> {
    let (title, body, created_at) = (Set(title), Set(body), Set(now()));
    let (author_id, slug) = (Set(author_id), Set(slug));
    let post = posts::ActiveModel { id: NotSet, author_id, slug, title, body, created_at };
    Ok(post.insert(db).await?.id)
}

/// Updates only the fields that are given: of two changes at once neither undoes the other.
pub async fn update(
    db: &impl ConnectionTrait,
    id: i64,
    PostPatch { title, body }: PostPatch,
) -> Result<(), DbErr> {
    if title.is_none() && body.is_none() {
        return Ok(());
    }
    let mut update = posts::Entity::update_many().filter(posts::Column::Id.eq(id));
    if let Some(title) = title {
        update = update.col_expr(posts::Column::Title, Expr::value(title));
    }
    if let Some(body) = body {
        update = update.col_expr(posts::Column::Body, Expr::value(body));
    }
    update.exec(db).await?;
    Ok(())
}

/// Deletes a post and its comments.
pub async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    posts::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Comments of a post, oldest first, as a conversation is read.
pub async fn comments(
    db: &impl ConnectionTrait,
    post: i64,
    page: &PageOf<COMMENTS>,
) -> Result<Vec<CommentRow>, DbErr> {
    let column = |column: comments::Column| (comments::Entity, column);
    let mut query = comments::Entity::find()
        .column(users::Column::Username)
        .join(JoinType::InnerJoin, comments::Relation::Author.def())
        .filter(comments::Column::PostId.eq(post))
        .order_by_asc(comments::Column::CreatedAt)
        .order_by_asc(comments::Column::Id)
        .limit(page.rows());
    if let Some(after) = page.after {
        let place = place(column(comments::Column::CreatedAt), column(comments::Column::Id));
        query = query.filter(place.gt(place_of(after)));
    }
    query.into_model().all(db).await
}

pub async fn username(db: &impl ConnectionTrait, user: i64) -> Result<Option<String>, DbErr> {
    let user = users::Entity::find_by_id(user).select_only().column(users::Column::Username);
    user.into_tuple().one(db).await
}

pub async fn insert_comment(
    db: &impl ConnectionTrait,
    post_id: i64,
    author_id: i64,
    body: String,
) -> Result<comments::Model, DbErr> {
    let (post_id, author_id, body) = (Set(post_id), Set(author_id), Set(body));
    let comment =
        comments::ActiveModel { id: NotSet, post_id, author_id, body, created_at: Set(now()) };
    comment.insert(db).await
}
