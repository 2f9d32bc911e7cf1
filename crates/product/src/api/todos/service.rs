//! Logic of todos: each is its owner's alone, reads are cached, writes invalidate the copies.

use bytes::Bytes;
use sea_orm::DbErr;
use serde::Serialize;

use super::{
    bodies::{Owned, TodoIn, TodoOut, TodoPatch},
    paging::Page,
    repository,
};
use crate::{
    api::fitting,
    cache::{Cache, Changed, Name, bloom::IdFilter},
    db::{Db, is_orphan, now},
    error::Error,
};

/// Todos of a user as JSON, newest first.
pub async fn list(db: &Db, cache: &Cache, user: i64, page: Page) -> Result<Bytes, Error> {
    if !page.is_first() {
        return list_json(db, user, &page).await;
    }
    let key = Name::UserTodos.key(user);
    let load = async { list_json(db, user, &Page::FIRST).await.map(Some) };
    let list = cache.fetch(Name::UserTodos, &key, load).await?;
    // A list is never absent: one without todos is `[]`.
    Ok(list.unwrap_or_else(|| Bytes::from_static(b"[]")))
}

async fn list_json(db: &Db, user: i64, page: &Page) -> Result<Bytes, Error> {
    let todos = repository::list(db, user, page).await?;
    let mut todos: Vec<_> = todos.into_iter().map(TodoOut::from).collect();
    // A client finds out if there are more by requesting the next part.
    fitting::cut(&mut todos);
    json(&todos)
}

/// A todo of a user as JSON.
pub async fn get(
    db: &Db,
    cache: &Cache,
    ids: &IdFilter,
    user: i64,
    id: i64,
) -> Result<Bytes, Error> {
    if ids.refuses(id) {
        cache.count_bloom_rejection(Name::Todo);
        return Err(no_todo());
    }
    let load = async {
        let todo = repository::by_id(db, id).await?;
        todo.map(|todo| json(&TodoOut::from(todo))).transpose()
    };
    let todo = cache.fetch(Name::Todo, &Name::Todo.key(id), load).await?.ok_or_else(no_todo)?;
    let owned: Owned = serde_json::from_slice(&todo).map_err(Error::internal)?;
    if owned.user_id == user { Ok(todo) } else { Err(no_todo()) }
}

pub async fn create(
    db: &Db,
    cache: &Cache,
    user: i64,
    input: TodoIn,
) -> Result<(i64, TodoOut), Error> {
    let txn = db.begin().await?;
    let todo = repository::insert(&txn, user, input, now()).await.map_err(no_owner)?;
    cache.commit(txn, changed(user, todo.id)).await?;
    Ok((todo.id, todo.into()))
}

/// Changes the fields of the patch. An empty one changes nothing, not even `updated_at`.
pub async fn update(
    db: &Db,
    cache: &Cache,
    ids: &IdFilter,
    user: i64,
    id: i64,
    patch: TodoPatch,
) -> Result<Bytes, Error> {
    if patch.is_empty() {
        return get(db, cache, ids, user, id).await;
    }
    let txn = db.begin().await?;
    if !repository::update(&txn, user, id, patch, now()).await? {
        return Err(no_todo());
    }
    // Read in the transaction, so it is the result of this change.
    let todo = repository::by_id(&txn, id).await?.ok_or_else(no_todo)?;
    cache.commit(txn, changed(user, id)).await?;
    json(&TodoOut::from(todo))
}

pub async fn delete(db: &Db, cache: &Cache, user: i64, id: i64) -> Result<(), Error> {
    let txn = db.begin().await?;
    if !repository::delete(&txn, user, id).await? {
        return Err(no_todo());
    }
    Ok(cache.commit(txn, changed(user, id)).await?)
}

/// Keys of a todo's copies. A new todo has them too: its absence may be cached.
fn changed(user: i64, id: i64) -> Vec<Changed> {
    vec![Changed { name: Name::UserTodos, id: user }, Changed { name: Name::Todo, id }]
}

fn json(value: &impl Serialize) -> Result<Bytes, Error> {
    // Without spare capacity: the cache keeps it, and counts its size.
    let json = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(json.into_boxed_slice().into())
}

/// Error for a todo that does not exist or is another user's.
fn no_todo() -> Error {
    Error::NotFound("there is no todo with this id".to_owned())
}

fn no_owner(error: DbErr) -> Error {
    if is_orphan(&error) { Error::no_account() } else { error.into() }
}
