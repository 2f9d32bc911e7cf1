//! The cache alone, in the process or on Redis: loading, waiting, and no stale value comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use product::{
    cache::{Answer, Cache, Changed, Name},
    config::CacheConfig,
    db::Db,
    entity::todos,
    error::Error,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait};
use server::lifecycle::open_database;
use tokio::sync::Notify;

use crate::{backends::BackEnds, support::TestApp};

/// A cache, and a database for commits.
struct Bench {
    cache: Cache,
    db: Db,
    loads: AtomicUsize,
    _back_ends: BackEnds,
}

const KEY: i64 = 7;

impl Bench {
    async fn new() -> Self {
        let back_ends = BackEnds::new();
        let flags = back_ends.flags();
        let redis_url = flags.iter().find_map(|flag| flag.strip_prefix("--redis-url="));
        let cache = CacheConfig {
            redis_url: redis_url.map(str::to_owned),
            redis_url_file: None,
            latency_cache: Duration::ZERO,
            bloom_false_positives: 0.01,
        };
        Self {
            cache: Cache::open(&cache).await.unwrap(),
            db: open_database(&back_ends.database(2)).await.unwrap(),
            loads: AtomicUsize::new(0),
            _back_ends: back_ends,
        }
    }

    async fn fetch(&self, load: impl Future<Output = Answer>) -> Answer {
        let load = async {
            self.loads.fetch_add(1, SeqCst);
            Ok(load.await)
        };
        self.cache.fetch(Name::Todo, &Name::Todo.key(KEY), load).await.unwrap()
    }

    async fn commit(&self) {
        let txn = self.db.begin().await.unwrap();
        self.cache.commit(txn, vec![Changed { name: Name::Todo, id: KEY }]).await.unwrap();
    }

    fn loads(&self) -> usize {
        self.loads.load(SeqCst)
    }
}

fn text(text: &'static str) -> Answer {
    Some(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_hundred_misses_at_once_are_one_load() {
    let bench = Bench::new().await;
    let slowly = async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        text("1")
    };
    let fetches = (0..100).map(|_| bench.fetch(slowly()));
    let answers = futures_util::future::join_all(fetches).await;
    assert!(answers.iter().all(|answer| *answer == text("1")));
    assert_eq!(bench.loads(), 1);
}

#[tokio::test]
async fn that_there_is_nothing_is_remembered_until_there_is_something() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        assert_eq!(bench.fetch(async { None }).await, None);
    }
    assert_eq!(bench.loads(), 1);
    bench.commit().await;
    assert_eq!(bench.fetch(async { text("1") }).await, text("1"));
    assert_eq!(bench.fetch(async { text("2") }).await, text("1"));
    assert_eq!(bench.loads(), 2);
}

#[tokio::test]
async fn a_load_that_a_write_overtook_is_not_kept_and_not_shared_with_those_who_came_after() {
    let bench = Bench::new().await;
    let (has_read, goes_on) = (Notify::new(), Notify::new());
    let early = bench.fetch(async {
        has_read.notify_one();
        goes_on.notified().await;
        text("old")
    });
    let rest = async {
        has_read.notified().await;
        bench.commit().await;
        // It waits for the early load, but must not use its result.
        let late = bench.fetch(async { text("new") });
        let (late, ()) = tokio::join!(late, async {
            tokio::task::yield_now().await;
            goes_on.notify_one();
        });
        assert_eq!(late, text("new"));
    };
    let (early, ()) = tokio::join!(early, rest);
    assert_eq!(early, text("old"), "it began before the write was answered");
    assert_eq!(bench.fetch(async { text("newer") }).await, text("new"));
    assert_eq!(bench.loads(), 2);
}

#[tokio::test]
async fn a_load_that_fails_or_goes_away_leaves_nothing_behind() {
    let bench = Bench::new().await;
    let key = Name::Todo.key(KEY);
    let fails = async { Err(Error::internal("on purpose")) };
    assert!(bench.cache.fetch(Name::Todo, &key, fails).await.is_err());
    let never = bench.fetch(std::future::pending());
    assert!(tokio::time::timeout(Duration::from_millis(10), never).await.is_err());
    assert_eq!(bench.fetch(async { text("1") }).await, text("1"));
}

#[tokio::test]
async fn what_is_set_is_there_until_its_time_is_over_or_it_is_deleted() {
    let Bench { cache, .. } = Bench::new().await;
    let hour = Duration::from_hours(1);
    cache.set(Name::Tokens, "a", Bytes::from_static(b"1"), hour).await.unwrap();
    cache.set(Name::Tokens, "b", Bytes::from_static(b"2"), Duration::from_millis(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(cache.get_many(Name::Tokens, &["a", "b"]).await.unwrap(), [text("1"), None]);
    cache.delete(Name::Tokens, "a").await.unwrap();
    assert_eq!(cache.get(Name::Tokens, "a").await, Ok(None));
}

fn count(text: &str, series: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(series));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[test]
fn an_id_that_no_todo_has_is_refused_by_the_filter_and_a_new_one_never() {
    // Ids 101 to 9,999 do not exist. The filter is built when the second instance starts.
    let first = TestApp::start();
    first.run(async {
        let db = first.db().await;
        let todo = todos::Entity::find_by_id(1).one(&db).await.unwrap().unwrap();
        let far = todos::Model { id: 10_000, ..todo };
        let far = todos::ActiveModel::from(far).reset_all();
        todos::Entity::insert(far).exec(&db).await.unwrap();
        if db.get_database_backend() == DbBackend::Postgres {
            let sequence = "SELECT setval(pg_get_serial_sequence('todos', 'id'), 10000)";
            db.execute_unprepared(sequence).await.unwrap();
        }
    });
    let app = TestApp::start_beside(&first, &[]);
    app.run(async {
        let session = app.sign_up("bloom").await;
        let rejections = "chokepoint_cache_bloom_rejections_total{cache=\"todo\"}";
        let before = count(&app.metrics().await, rejections);
        for id in 201..=300 {
            let path = format!("/api/v2/todos/{id}");
            let answer = app.as_user(&session, reqwest::Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), 404);
        }
        // One in a hundred passes on average; five or more pass in 1 of 300 runs.
        let rejected = count(&app.metrics().await, rejections) - before;
        assert!(rejected >= 90, "{rejected}");
        for _ in 0..20 {
            let body = serde_json::json!({"title": "new"});
            let created = app.as_user(&session, reqwest::Method::POST, "/api/v2/todos").json(&body);
            let todo: serde_json::Value = created.send().await.unwrap().json().await.unwrap();
            let path = format!("/api/v1/todos/{}", todo["id"]);
            let answer = app.as_user(&session, reqwest::Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
    });
}

#[test]
fn a_cached_list_costs_no_query_of_todos() {
    let app = TestApp::start();
    app.run(async {
        let session = app.sign_up("cached_list").await;
        let hits = "chokepoint_cache_hits_total{cache=\"user_todos\"}";
        let get = async || {
            let request = app.as_user(&session, reqwest::Method::GET, "/api/v2/todos");
            assert_eq!(request.send().await.unwrap().text().await.unwrap(), "[]");
        };
        get().await;
        let before = count(&app.metrics().await, hits);
        for _ in 0..10 {
            get().await;
        }
        assert!(count(&app.metrics().await, hits) >= before + 10);
    });
}

#[tokio::test]
async fn one_load_for_each_key_and_keys_do_not_wait_for_each_other() {
    let bench = Arc::new(Bench::new().await);
    let stuck = tokio::spawn({
        let bench = bench.clone();
        async move { bench.fetch(std::future::pending()).await }
    });
    tokio::task::yield_now().await;
    let other = bench.cache.fetch(Name::Todo, "todo:8", async { Ok(text("8")) }).await;
    assert_eq!(other.unwrap(), text("8"));
    stuck.abort();
}
