//! Fast: calls the tag service with a copy of the user's account, then counts the call.

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{
    TodoOut,
    refresh::{Job, WORKERS, refreshed},
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    refreshed(&db, &upstream, WORKERS, tags_of).await
}

pub async fn tags_of(job: Job) -> Result<Vec<String>, Error> {
    let Job { todo, user, accounts, service } = job;
    let tags = {
        // FIX: the account is cloned out, so its guard is gone before the task waits.
        let account = accounts.get(&user).ok_or_else(Error::no_account)?.clone();
        service.tags_of(&account, todo).await?
    };
    if let Some(mut account) = accounts.get_mut(&user) {
        account.calls += 1;
    }
    Ok(tags)
}
