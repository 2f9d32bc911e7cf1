//! Logic of posts, with its permissions. Posts are public, so a change of another author's is
//! refused with 403: 404 would deny what everybody can read.

use sea_orm::ConnectionTrait;

use super::{
    bodies::{Author, CommentIn, CommentOut, PostIn, PostOut, PostPatch, PostSummary},
    paging::{COMMENTS, Cursor, POSTS, Page, PageOf},
    repository::{self, CommentRow, PostRow},
    slug,
};
use crate::{
    db::{Db, is_orphan, is_unique_violation},
    entity::{comments, posts},
    error::Error,
};

/// Attempts to find a free slug for a new post. From the second on it has six random characters.
const SLUG_TRIES: u32 = 5;

pub async fn list(db: &Db, page: &PageOf<POSTS>) -> Result<Page<PostSummary>, Error> {
    let rows = repository::list(db, page).await?;
    let posts = rows.into_iter().map(|row| summary(row, 0)).collect();
    let mut page = Page::new(page, posts, |post: &PostSummary| Cursor {
        created_at: post.created_at,
        id: post.id,
    });
    let counts = repository::comment_counts(db, page.items().iter().map(|post| post.id)).await?;
    for post in page.items() {
        post.comments = counts.get(&post.id).copied().unwrap_or_default();
    }
    Ok(page)
}

pub async fn get(db: &Db, id: i64) -> Result<PostOut, Error> {
    let (row, body) = repository::find(db, id).await?.ok_or_else(no_post)?;
    let counts = repository::comment_counts(db, [id]).await?;
    let comments = counts.get(&id).copied().unwrap_or_default();
    Ok(PostOut { summary: summary(row, comments), body })
}

pub async fn create(db: &Db, user: i64, input: PostIn) -> Result<PostOut, Error> {
    let wanted = slug::from_title(&input.title);
    let mut slug = wanted.clone();
    for _ in 0..SLUG_TRIES {
        let PostIn { title, body } = input.clone();
        // One for each try: PostgreSQL runs nothing more in a transaction after an error.
        let txn = db.begin().await?;
        match repository::insert(&txn, user, slug, title, body).await {
            Ok(id) => {
                txn.commit().await?;
                return get(db, id).await;
            }
            Err(error) if is_unique_violation(&error) => slug = slug::another(&wanted),
            Err(error) if is_orphan(&error) => return Err(Error::no_account()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Unavailable { part: "title as a slug", cause: format!("{wanted} is taken") })
}

pub async fn update(db: &Db, user: i64, id: i64, patch: PostPatch) -> Result<PostOut, Error> {
    let txn = db.begin().await?;
    own(&txn, user, id).await?;
    repository::update(&txn, id, patch).await?;
    txn.commit().await?;
    get(db, id).await
}

pub async fn delete(db: &Db, user: i64, id: i64) -> Result<(), Error> {
    let txn = db.begin().await?;
    own(&txn, user, id).await?;
    repository::delete(&txn, id).await?;
    Ok(txn.commit().await?)
}

pub async fn comments(
    db: &Db,
    post: i64,
    page: &PageOf<COMMENTS>,
) -> Result<Page<CommentOut>, Error> {
    repository::row(db, post).await?.ok_or_else(no_post)?;
    let comments = repository::comments(db, post, page).await?;
    let comments = comments.into_iter().map(CommentOut::from).collect();
    Ok(Page::new(page, comments, |comment: &CommentOut| Cursor {
        created_at: comment.created_at,
        id: comment.id,
    }))
}

pub async fn comment(db: &Db, user: i64, post: i64, input: CommentIn) -> Result<CommentOut, Error> {
    let txn = db.begin().await?;
    let found = repository::row(&txn, post).await?.ok_or_else(no_post)?;
    if found.is_seeded() {
        // The labs count its comments, and every machine must count the same.
        return Err(Error::Forbidden("the seeded posts take no comments: labs read them"));
    }
    let username = repository::username(&txn, user).await?.ok_or_else(Error::no_account)?;
    let comment = match repository::insert_comment(&txn, post, user, input.body).await {
        // The post was deleted since it was found.
        Err(error) if is_orphan(&error) => return Err(no_post()),
        comment => comment?,
    };
    txn.commit().await?;
    let comments::Model { id, post_id, author_id, body, created_at } = comment;
    Ok(CommentOut { id, post_id, author: Author { id: author_id, username }, body, created_at })
}

/// Post of this user. Errors if there is none, or if another user wrote it.
async fn own(db: &impl ConnectionTrait, user: i64, id: i64) -> Result<posts::Model, Error> {
    let post = repository::row(db, id).await?.ok_or_else(no_post)?;
    if post.author_id == user {
        Ok(post)
    } else {
        Err(Error::Forbidden("only its author may change a post"))
    }
}

fn no_post() -> Error {
    Error::NotFound("there is no post with this id".to_owned())
}

fn summary(row: PostRow, comments: i64) -> PostSummary {
    let PostRow { id, slug, title, author_id, username, created_at } = row;
    PostSummary {
        id,
        slug,
        title,
        author: Author { id: author_id, username },
        comments,
        created_at,
    }
}

impl From<CommentRow> for CommentOut {
    fn from(row: CommentRow) -> Self {
        let CommentRow { id, post_id, author_id, username, body, created_at } = row;
        Self { id, post_id, author: Author { id: author_id, username }, body, created_at }
    }
}
