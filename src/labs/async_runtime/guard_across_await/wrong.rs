//! The fixes that people try first. Two wait for the same lock; one lets go of the count instead.
#![expect(
    clippy::await_holding_invalid_type,
    reason = "one of these wrong fixes keeps the guard while its task waits"
)]

use std::time::Duration;

use axum::{Extension, Json, extract::State};
use dashmap::try_result::TryResult;
use tokio::time::timeout;
use workshop::upstream::Upstream;

use super::{
    TodoOut,
    refresh::{Job, WORKERS, refreshed},
    slow,
};
use product::{api::state::AppState, error::Error};

/// Limit on one job, many times what the service needs.
const LIMIT: Duration = Duration::from_secs(1);

/// Adds workers: 100 jobs block 8 of them as well.
pub async fn eight_workers(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    refreshed(&db, &upstream, 8, slow::tags_of).await
}

/// Limits each job's time: the limit is a task's too, and with all workers blocked nobody polls it.
pub async fn timed_out(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    let limited = |job| async {
        timeout(LIMIT, slow::tags_of(job)).await.unwrap_or(Err(Error::TookTooLong(LIMIT)))
    };
    refreshed(&db, &upstream, WORKERS, limited).await
}

/// Counts a call only if the map is free just then: nobody waits, and nearly every call is lost.
pub async fn try_lock(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<Vec<TodoOut>>, Error> {
    refreshed(&db, &upstream, WORKERS, counted_if_free).await
}

async fn counted_if_free(job: Job) -> Result<Vec<String>, Error> {
    let Job { todo, user, accounts, service } = job;
    let tags = {
        let account = accounts.get(&user).ok_or_else(Error::no_account)?;
        service.tags_of(&account, todo).await?
    };
    if let TryResult::Present(mut account) = accounts.try_get_mut(&user) {
        account.calls += 1;
    }
    Ok(tags)
}
