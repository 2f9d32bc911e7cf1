//! Two instances on one SQLite file, each with a cache of its own.

use std::time::Instant;

use axum::http::HeaderMap;
use sea_orm::EntityTrait;
use tempfile::TempDir;

use super::*;
use crate::{
    config::{CacheConfig, DatabaseConfig},
    entity::revoked_tokens,
};
use observe::{
    cost::Counter,
    request_cost::{Measured, RequestCost},
    request_id::Ids,
};

const DIGESTS: [&str; 2] = ["of a token", "of its family"];

/// One process, with a cache of its own.
struct Instance {
    db: Db,
    cache: Cache,
    revocations: Revocations,
}

impl Instance {
    async fn start(folder: &TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::connect(&DatabaseConfig::of(url, 5)).await.unwrap();
        db.set_up(async |_| Ok(())).await.unwrap();
        let cache = CacheConfig {
            redis_url: None,
            redis_url_file: None,
            latency_cache: Duration::ZERO,
            bloom_false_positives: 0.01,
        };
        let cache = Cache::open(&cache).await.unwrap();
        Self { db, cache, revocations: Revocations::default() }
    }

    /// The answer, and the number of database queries for it.
    async fn lookup(&self) -> (bool, u64) {
        let lookup = self.revocations.is_any_revoked(&self.db, &self.cache, DIGESTS);
        let ids = Ids::of(&HeaderMap::new(), None);
        let mut measured =
            std::pin::pin!(Measured::new(RequestCost::new(ids, None, Instant::now()), lookup));
        let answer = measured.as_mut().await.unwrap();
        (answer, measured.request_cost().cost().value(Counter::Queries))
    }

    async fn trusts_its_cache(&self) {
        while self.lookup().await != (false, 0) {
            tokio::task::yield_now().await;
        }
    }

    async fn commit(&self) -> Model {
        let expires_at = Utc::now() + Duration::from_secs(60);
        let row = Model { digest: DIGESTS[1].to_owned(), expires_at };
        let active = revoked_tokens::ActiveModel::from(row.clone());
        revoked_tokens::Entity::insert(active).exec(&self.db).await.unwrap();
        row
    }
}

#[tokio::test]
async fn a_key_that_is_missing_means_nothing_in_a_cache_that_was_flushed() {
    for lost in [EPOCH, LOADED] {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::start(&folder).await;
        instance.trusts_its_cache().await;
        instance.commit().await;
        instance.cache.delete(Name::Tokens, lost).await.unwrap();
        assert_eq!(instance.lookup().await, (true, 1), "without {lost}");
    }
}

#[tokio::test]
async fn a_copying_that_lost_its_epoch_on_the_way_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let instance = Instance::start(&folder).await;
    let epoch = |value: &'static str| {
        let lease = Duration::from_secs(60);
        instance.cache.set(Name::Tokens, EPOCH, Bytes::from(value), lease)
    };
    epoch("of another").await.unwrap();
    let lease = Duration::from_secs(60);
    instance.cache.set(Name::Tokens, LOADED, Bytes::from("mine"), lease).await.unwrap();
    assert_eq!(instance.lookup().await, (false, 1));
    epoch("mine").await.unwrap();
    assert_eq!(instance.lookup().await, (false, 0));
}

#[tokio::test]
async fn when_a_logout_was_published_no_other_process_trusts_what_it_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (Instance::start(&folder).await, Instance::start(&folder).await);
    there.trusts_its_cache().await;
    let row = here.commit().await;
    here.revocations.publish(&here.cache, &[row]).await;
    assert_eq!(there.lookup().await, (true, 1));
    assert_eq!(here.lookup().await, (true, 0), "its own cache was not updated");
}
