//! The caches of two instances on one Redis, which hangs, goes down and comes back.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use bytes::Bytes;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use observe::{
    cost::Counter,
    request_cost::{Measured, RequestCost},
    request_id::Ids,
};
use product::{
    cache::{Answer, Cache, Changed, Name},
    db::Db,
};
use redis::AsyncTypedCommands;
use server::lifecycle::open_database;
use tokio::sync::Notify;

use crate::backends::BackEnds;

/// Two servers while their Redis goes down and comes back.
mod outages;
/// A Redis of the test.
pub mod redis_server;
/// A Redis that answers with errors.
mod refusals;

use redis_server::RedisServer;

const KEY: i64 = 7;

async fn database() -> (Db, BackEnds) {
    let back_ends = BackEnds::new();
    (open_database(&back_ends.database(4)).await.unwrap(), back_ends)
}

fn text(text: impl ToString) -> Answer {
    Some(Bytes::from(text.to_string()))
}

async fn fetch(cache: &Cache, load: impl Future<Output = Answer>) -> Answer {
    let load = async { Ok(load.await) };
    cache.fetch(Name::Todo, &Name::Todo.key(KEY), load).await.unwrap()
}

async fn commit(cache: &Cache, db: &Db) {
    let txn = db.begin().await.unwrap();
    cache.commit(txn, vec![Changed { name: Name::Todo, id: KEY }]).await.unwrap();
}

/// Waits until the cache is used again.
async fn in_use(cache: &Cache) {
    let key = "in use";
    for _ in 0..200 {
        let _ = cache.set(Name::Tokens, key, Bytes::new(), Duration::from_secs(9)).await;
        if cache.get(Name::Tokens, key).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the cache did not recover");
}

#[tokio::test]
async fn a_hundred_misses_on_two_instances_are_one_load() {
    let server = RedisServer::start();
    let caches = [server.cache().await, server.cache().await];
    let loads = AtomicUsize::new(0);
    let slowly = async || {
        loads.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        text("1")
    };
    let answers = join_all((0..100).map(|n| fetch(&caches[n % 2], slowly()))).await;
    assert!(answers.iter().all(|answer| *answer == text("1")));
    assert_eq!(loads.load(SeqCst), 1);
}

#[tokio::test]
async fn a_lock_is_released_by_its_owner_alone_and_a_dead_owner_is_not_waited_for_long() {
    let server = RedisServer::start();
    let (cache, mut redis) = (server.cache().await, server.client().await);
    redis.set_ex("lock:todo:7", "another", 10).await.unwrap();
    assert_eq!(fetch(&cache, async { text("1") }).await, text("1"));
    assert_eq!(redis.get("lock:todo:7").await.unwrap().as_deref(), Some("another"));
    assert!(!redis.exists("todo:7").await.unwrap(), "it filled without the lock");

    redis.del("lock:todo:7").await.unwrap();
    let steal = async {
        redis.clone().set_ex("lock:todo:7", "another", 10).await.unwrap();
        text("2")
    };
    assert_eq!(fetch(&cache, steal).await, text("2"));
    assert_eq!(redis.get("lock:todo:7").await.unwrap().as_deref(), Some("another"));
}

#[tokio::test]
async fn a_load_that_a_write_on_another_instance_overtook_is_not_kept() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let [a, b] = [server.cache().await, server.cache().await];
    let (has_read, goes_on) = (Notify::new(), Notify::new());
    let early = fetch(&b, async {
        has_read.notify_one();
        goes_on.notified().await;
        text("old")
    });
    let write = async {
        has_read.notified().await;
        commit(&a, &db).await;
        goes_on.notify_one();
    };
    tokio::join!(early, write);
    assert_eq!(fetch(&b, async { text("new") }).await, text("new"));
    assert_eq!(fetch(&a, async { text("newer") }).await, text("new"));
}

#[tokio::test]
async fn while_a_write_is_under_way_or_its_writer_is_dead_nothing_is_filled() {
    let server = RedisServer::start();
    let (cache, mut redis) = (server.cache().await, server.client().await);
    // Pending invalidation that a dead process leaves behind.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let until = u64::try_from(now).unwrap() + 10_000;
    redis.zadd("writers:todo:7", "dead", until).await.unwrap();
    assert_eq!(fetch(&cache, async { text("1") }).await, text("1"));
    assert_eq!(fetch(&cache, async { text("2") }).await, text("2"));
    redis.zadd("writers:todo:7", "dead", 1).await.unwrap();
    assert_eq!(fetch(&cache, async { text("3") }).await, text("3"));
    assert_eq!(fetch(&cache, async { text("4") }).await, text("3"));
}

/// Commands sent to Redis for one look-up.
async fn commands(cache: &Cache) -> u64 {
    let request_cost = RequestCost::new(Ids::of(&HeaderMap::new(), None), None, Instant::now());
    Measured::new(request_cost.clone(), fetch(cache, async { text("1") })).await;
    request_cost.cost().value(Counter::RedisCommands)
}

#[tokio::test]
async fn commands_are_counted_on_the_request_that_sends_them() {
    let server = RedisServer::start();
    let cache = server.cache().await;
    // A hit is one command; a miss also takes the lock, fills and releases.
    let (miss, hit) = (commands(&cache).await, commands(&cache).await);
    assert!(miss > hit, "{miss} for a miss, {hit} for a hit");
    assert_eq!(hit, 1);
}

#[tokio::test]
async fn copies_have_their_time_to_live() {
    let server = RedisServer::start();
    let (cache, mut redis) = (server.cache().await, server.client().await);
    fetch(&cache, async { text("1") }).await;
    let redis::IntegerReplyOrNoOp::IntegerReply(seconds) = redis.ttl("todo:7").await.unwrap()
    else {
        panic!("no time to live")
    };
    assert!((3_590..=3_900).contains(&seconds), "{seconds}");
    let absent = async { Ok(None) };
    cache.fetch(Name::Todo, "todo:8", absent).await.unwrap();
    let redis::IntegerReplyOrNoOp::IntegerReply(seconds) = redis.ttl("todo:8").await.unwrap()
    else {
        panic!("no time to live")
    };
    assert!((290..=300).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn what_was_written_while_redis_hung_is_not_read_from_it_when_it_goes_on() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let [a, b] = [server.cache().await, server.cache().await];
    assert_eq!(fetch(&a, async { text("old") }).await, text("old"));
    server.signal(Signal::SIGSTOP);
    commit(&a, &db).await;
    assert_eq!(fetch(&a, async { text("new") }).await, text("new"));
    assert_eq!(fetch(&b, async { text("new") }).await, text("new"));
    server.signal(Signal::SIGCONT);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        assert_eq!(fetch(&b, async { text("new") }).await, text("new"));
        assert_eq!(fetch(&a, async { text("new") }).await, text("new"));
    }
    in_use(&b).await;
}

#[tokio::test]
async fn a_redis_that_is_not_there_at_the_start_is_used_when_it_comes() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = server.cache().await;
    assert_eq!(fetch(&cache, async { text("1") }).await, text("1"));
    assert_eq!(fetch(&cache, async { text("2") }).await, text("2"));
    server.restart();
    in_use(&cache).await;
    assert_eq!(fetch(&cache, async { text("3") }).await, text("3"));
    assert_eq!(fetch(&cache, async { text("4") }).await, text("3"));
}

#[tokio::test]
async fn readers_on_two_instances_never_see_what_was_before_a_write() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let caches = [server.cache().await, server.cache().await];
    let (truth, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_done = AtomicBool::new(false);
    let readers = (0..16).map(async |n: usize| {
        while !is_done.load(SeqCst) {
            let least = answered.load(SeqCst);
            let load = async {
                let read = truth.load(SeqCst);
                tokio::time::sleep(Duration::from_micros(fastrand::u64(0..500))).await;
                text(read)
            };
            let seen = fetch(&caches[n % 2], load).await.unwrap();
            let seen: usize = std::str::from_utf8(&seen).unwrap().parse().unwrap();
            assert!(seen >= least, "{seen} after {least} was answered");
        }
    });
    let writer = async {
        for n in 1..=300 {
            let cache = &caches[n % 2];
            // The row changes at COMMIT at the earliest, and so does the loaded value.
            truth.store(n, SeqCst);
            commit(cache, &db).await;
            answered.store(n, SeqCst);
        }
        is_done.store(true, SeqCst);
    };
    tokio::join!(writer, join_all(readers));
}
