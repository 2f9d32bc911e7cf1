//! Solutions of cache-stampede.

use std::{collections::HashMap, sync::Arc};

use axum::{Extension, Json, extract::State, routing::get};
use cache::cache_stampede::{
    LAB,
    rush::{RushOut, TTL, Visit, rush},
    winner::{KEY, Winner},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use product::{api::state::AppState, error::Error};
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use workshop::{Lab, upstream::Upstream};

use crate::grade::{
    Constant, assert_refused, assert_refused_by_one, grade, with_yours, wrong_as_yours,
};

type Found = Result<Arc<Winner>, Error>;
type Answer = Result<Json<RushOut>, Error>;

async fn load(visit: &Visit) -> Found {
    Ok(Arc::new(Winner::load(&visit.db, &visit.upstream).await?))
}

/// What slow does.
async fn on_a_miss(visit: Visit) -> Found {
    if let Some(winner) = visit.cache.get(KEY).await {
        return Ok(winner);
    }
    let winner = load(&visit).await?;
    visit.cache.insert(KEY, winner.clone()).await;
    Ok(winner)
}

#[test]
fn the_load_by_the_cache_itself_is_right() {
    async fn winner(visit: Visit) -> Found {
        let loaded = visit.cache.try_get_with(KEY, load(&visit)).await;
        loaded.map_err(|error: Arc<Error>| Error::clone(&error))
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        rush(&db, &upstream, TTL, winner).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_shared_load_that_all_wait_for_is_right() {
    type Loads = Arc<Mutex<HashMap<&'static str, Shared<BoxFuture<'static, Found>>>>>;
    async fn winner(visit: Visit, loads: Loads) -> Found {
        let load = {
            let mut loads = loads.lock().await;
            if let Some(winner) = visit.cache.get(KEY).await {
                return Ok(winner);
            }
            let begin = || {
                let visit = visit.clone();
                async move { load(&visit).await }.boxed().shared()
            };
            loads.entry(KEY).or_insert_with(begin).clone()
        };
        let winner = load.await?;
        let mut loads = loads.lock().await;
        if loads.remove(KEY).is_some() {
            visit.cache.insert(KEY, winner.clone()).await;
        }
        Ok(winner)
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let loads = Loads::default();
        rush(&db, &upstream, TTL, |visit| winner(visit, loads.clone())).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn one_lock_of_the_whole_server_is_right_for_one_key() {
    static TURN: Mutex<()> = Mutex::const_new(());
    async fn winner(visit: Visit) -> Found {
        if let Some(winner) = visit.cache.get(KEY).await {
            return Ok(winner);
        }
        let _turn = TURN.lock().await;
        on_a_miss(visit).await
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        rush(&db, &upstream, TTL, winner).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_loads_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_refused(&failures, "loads: 101 for each request, at most 6 (gate loads: max<=6)");
    assert_refused(&failures, "queries: 101 for each request, at most 6 (gate queries: max<=6)");
    assert_refused(&failures, "upstream_calls: 101 for each request, at most 6");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn a_cache_without_end_is_refused_by_its_stale_answers_alone() {
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "no-ttl"), ..LAB };
    assert_refused_by_one(lab, "stale_answers: 100 for each request, at most 0");
}

#[test]
fn ten_loads_at_a_time_are_refused() {
    async fn winner(visit: Visit, turns: Arc<Semaphore>) -> Found {
        if let Some(winner) = visit.cache.get(KEY).await {
            return Ok(winner);
        }
        let _turn = turns.acquire().await.map_err(Error::internal)?;
        on_a_miss(visit).await
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        let turns = Arc::new(Semaphore::new(10));
        rush(&db, &upstream, TTL, |visit| winner(visit, turns.clone())).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "loads: 11 for each request, at most 6");
}

#[test]
fn loads_in_tasks_of_their_own_are_refused() {
    async fn winner(visit: Visit) -> Found {
        if let Some(winner) = visit.cache.get(KEY).await {
            return Ok(winner);
        }
        tokio::spawn(on_a_miss(visit)).await.map_err(Error::internal)?
    }
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Answer {
        rush(&db, &upstream, TTL, winner).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let words = "the request's own record has 0, so a task or a thread beside it does the rest";
    assert_refused(&grade(lab), words);
}

#[test]
fn a_load_without_a_rush_is_another_answer() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
    ) -> Result<Json<Winner>, Error> {
        Winner::load(&db, &upstream).await.map(Json)
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "-   \"visitors\": 101,");
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
        let Json(found) = rush(&db, &upstream, TTL, on_a_miss).await?;
        let answer = serde_json::to_value(found).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows, the JSON differs");
}
