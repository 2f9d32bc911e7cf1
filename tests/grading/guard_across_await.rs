//! Solutions of guard-across-await.

use async_runtime::guard_across_await::{
    LAB, TodoOut,
    refresh::{Job, WORKERS, refreshed},
};
use axum::{Extension, Json, extract::State, routing::get};
use dashmap::try_result::TryResult;
use product::{api::state::AppState, error::Error};
use serde_json::Value;
use workshop::{Lab, upstream::Upstream};

use crate::grade::{Constant, assert_refused, grade, with_yours};

type Answer = Result<Json<Vec<TodoOut>>, Error>;
type Tags = Result<Vec<String>, Error>;

/// Counts under one guard with the copy, before the call: one lock where fast takes two.
async fn counted_first(job: Job) -> Tags {
    let Job { todo, user, accounts, service } = job;
    let account = {
        let mut account = accounts.get_mut(&user).ok_or_else(Error::no_account)?;
        account.calls += 1;
        account.clone()
    };
    service.tags_of(&account, todo).await
}

#[test]
fn counting_before_the_call_is_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        refreshed(&db, &upstream, WORKERS, counted_first).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_view_and_a_write_that_yields_until_the_map_is_free_are_right() {
    async fn yields(job: Job) -> Tags {
        let Job { todo, user, accounts, service } = job;
        let account = accounts.view(&user, |_, account| account.clone());
        let tags = service.tags_of(&account.ok_or_else(Error::no_account)?, todo).await?;
        loop {
            if let TryResult::Present(mut account) = accounts.try_get_mut(&user) {
                account.calls += 1;
                return Ok(tags);
            }
            tokio::task::yield_now().await;
        }
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        refreshed(&db, &upstream, WORKERS, yields).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_jobs_and_its_name() {
    let failures = grade(Lab { ..LAB });
    let words = "jobs_lost: 101 for each request, at most 0 (evidence of fast)";
    assert_refused(&failures, words);
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let Json(found) = refreshed(&db, &upstream, WORKERS, counted_first).await?;
        let answer = serde_json::to_value(found).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows, 100 rows instead of 101");
}

#[test]
fn todos_cut_off_are_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let Json(mut all) = refreshed(&db, &upstream, WORKERS, counted_first).await?;
        all.truncate(20);
        Ok(Json(all))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "20 rows instead of 100");
}

#[test]
fn a_call_that_nobody_makes_is_refused() {
    async fn without_tags(job: Job) -> Tags {
        let account = job.accounts.get_mut(&job.user);
        account.ok_or_else(Error::no_account)?.calls += 1;
        Ok(Vec::new())
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        refreshed(&db, &upstream, WORKERS, without_tags).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "100 of 100 rows differ");
}

#[test]
fn a_count_left_out_is_refused() {
    async fn uncounted(Job { todo, user, accounts, service }: Job) -> Tags {
        let account = accounts.view(&user, |_, account| account.clone());
        service.tags_of(&account.ok_or_else(Error::no_account)?, todo).await
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        refreshed(&db, &upstream, WORKERS, uncounted).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "calls_uncounted: 101 for each request, at most 0");
    assert_refused(&failures, "these look like the numbers of the wrong fix try-lock");
}
