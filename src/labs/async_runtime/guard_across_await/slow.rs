//! Slow: calls the tag service with the user's account, then counts the call. One job does well.
#![expect(
    clippy::await_holding_invalid_type,
    reason = "this lab shows what a guard does that is held while its task waits"
)]

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
        let account = accounts.get(&user).ok_or_else(Error::no_account)?;
        // BOTTLENECK: the guard locks its part of the map until the answer has come, so jobs that
        // write there block their worker threads, and nobody is left to take the other answers.
        service.tags_of(&account, todo).await?
    };
    // Not inside the block: what this job still reads it could never write.
    if let Some(mut account) = accounts.get_mut(&user) {
        account.calls += 1;
    }
    Ok(tags)
}
