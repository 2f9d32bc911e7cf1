//! The rush, the same for all variants: one visitor fills the cache, the entry expires, and then a
//! hundred come at once. Each request of the lab is a rush with a cache of its own, so its counts
//! are exact.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Json;
use observe::{cost::own::OwnCounter, task};
use product::{db::Db, error::Error};
use serde::Serialize;
use tokio::time::sleep;
use workshop::upstream::Upstream;

use super::winner::{Winner, Winners};

pub static STALE_ANSWERS: OwnCounter =
    OwnCounter::new("stale_answers", "Visitors who got a value from before the entry expired.");

/// Time to live of an entry, which is how old an answer may be. Many times what a visitor takes to
/// find an entry that is there.
pub const TTL: Duration = Duration::from_millis(200);

/// Visitors who come when the entry has expired.
const VISITORS: usize = 100;

/// Time after the end of an entry, so that no clock sees it any more.
const A_MOMENT: Duration = Duration::from_millis(10);

/// All that a visitor's request has.
#[derive(Clone)]
pub struct Visit {
    pub db: Db,
    pub upstream: Upstream,
    pub cache: Winners,
}

/// Visitors who were answered, and the answer of the last.
#[derive(Serialize)]
pub struct RushOut {
    visitors: usize,
    winner: Arc<Winner>,
}

/// Runs a rush, in which `winner` answers each visitor.
pub async fn rush<V, W>(
    db: &Db,
    upstream: &Upstream,
    ttl: Duration,
    winner: V,
) -> Result<Json<RushOut>, Error>
where
    V: Fn(Visit) -> W,
    W: Future<Output = Result<Arc<Winner>, Error>> + Send + 'static,
{
    let cache = Winners::builder().time_to_live(ttl).build();
    let visit = Visit { db: db.clone(), upstream: upstream.clone(), cache };
    let mut out = RushOut { visitors: 1, winner: winner(visit.clone()).await? };
    sleep(ttl + A_MOMENT).await;

    let expired = Instant::now();
    let crowd: Vec<_> = (0..VISITORS).map(|_| task::spawn(winner(visit.clone()))).collect();
    for visitor in crowd {
        out.winner = visitor.await.map_err(Error::internal)??;
        out.visitors += 1;
        STALE_ANSWERS.add(out.winner.is_before(expired).into());
    }
    Ok(Json(out))
}
