//! Fast: one layer repeats a call, after a random wait, and only while all requests together may.

use axum::{Extension, Json, extract::State};
use tokio::time::sleep;
use workshop::upstream::Upstream;

use super::{
    TagClient, TodoCard, newest,
    retry_budget::{RetryBudget, backoff},
};
use product::{api::state::AppState, error::Error};

/// Times that the tags are asked for, at most.
const ATTEMPTS: u32 = 3;

/// Budget of all requests.
pub static BUDGET: RetryBudget = RetryBudget::full();

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<TodoCard>, Error> {
    let todo = newest(&db).await?;
    let client = TagClient::of(&upstream).attempts(1);
    BUDGET.deposit();
    let mut attempt = 1;
    let tags = loop {
        match client.tags_of(todo.id).await {
            // FIX: the only layer that retries backs off, and all requests share one budget for it.
            Err(_) if attempt < ATTEMPTS && BUDGET.withdraw() => {
                sleep(backoff(attempt)).await;
                attempt += 1;
            }
            answered => break answered?,
        }
    };
    Ok(Json(TodoCard::new(todo, tags)))
}
