//! Redis answers, but refuses: it is full, a key has another type, or it has become a replica.

use product::cache::Down;

use super::*;

/// Ok if this instance reads Redis now.
async fn is_used(cache: &Cache) -> Result<(), Down> {
    cache.get(Name::Tokens, "nothing").await.map(|_| ())
}

async fn tell(redis: &mut redis::aio::MultiplexedConnection, command: &[&str]) {
    let mut cmd = redis::Cmd::new();
    cmd.arg(command).exec_async(redis).await.unwrap();
}

async fn other(cache: &Cache, load: &'static str) -> Answer {
    cache.fetch(Name::Todo, "todo:8", async { Ok(text(load)) }).await.unwrap()
}

#[tokio::test]
async fn a_full_redis_goes_on_to_be_read_and_keeps_no_old_value() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let ([a, b], mut redis) = ([server.cache().await, server.cache().await], server.client().await);
    assert_eq!(fetch(&a, async { text("old") }).await, text("old"));
    tell(&mut redis, &["CONFIG", "SET", "maxmemory", "1"]).await;

    assert_eq!(fetch(&b, async { text("not asked") }).await, text("old"), "it is still there");
    // Redis can't store more; that is no outage, and nobody waits for a lease.
    for load in ["1", "2", "3"] {
        assert_eq!(other(&a, load).await, text(load));
        assert_eq!(other(&b, load).await, text(load));
        assert_eq!((is_used(&a).await, is_used(&b).await), (Ok(()), Ok(())));
    }
    commit(&a, &db).await;
    for cache in [&a, &b] {
        assert_eq!(fetch(cache, async { text("new") }).await, text("new"));
        assert_eq!(is_used(cache).await, Ok(()));
    }

    tell(&mut redis, &["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(other(&a, "kept").await, text("kept"));
    assert_eq!(other(&b, "not asked").await, text("kept"));
}

#[tokio::test]
async fn a_copy_that_is_refused_leaves_no_lock_behind() {
    let server = RedisServer::start();
    let ([a, b], mut redis) = ([server.cache().await, server.cache().await], server.client().await);
    let fills_up = async {
        tell(&mut redis.clone(), &["CONFIG", "SET", "maxmemory", "1"]).await;
        text("1")
    };
    assert_eq!(fetch(&a, fills_up).await, text("1"));
    tell(&mut redis, &["CONFIG", "SET", "maxmemory", "0"]).await;
    while redis.exists("lock:todo:7").await.unwrap() {
        // Waits until the owner has released the lease; otherwise it would last 10 s.
        let left: i64 =
            redis::cmd("PTTL").arg("lock:todo:7").query_async(&mut redis).await.unwrap();
        assert!(!(0..5_000).contains(&left), "nobody gives it back");
        tokio::task::yield_now().await;
    }
    assert_eq!(fetch(&b, async { text("2") }).await, text("2"));
    assert_eq!(fetch(&a, async { text("3") }).await, text("2"));
}

#[tokio::test]
async fn a_key_of_another_type_is_that_keys_trouble_until_it_is_written() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let (cache, mut redis) = (server.cache().await, server.client().await);
    redis.lpush("todo:7", "a list").await.unwrap();
    for load in ["1", "2"] {
        assert_eq!(fetch(&cache, async { text(load) }).await, text(load));
        assert_eq!(is_used(&cache).await, Ok(()));
    }
    assert_eq!(other(&cache, "kept").await, text("kept"));
    assert_eq!(other(&cache, "not asked").await, text("kept"));
    commit(&cache, &db).await;
    assert_eq!(fetch(&cache, async { text("3") }).await, text("3"));
    assert_eq!(fetch(&cache, async { text("not asked") }).await, text("3"));
}

#[tokio::test]
async fn a_redis_that_refuses_invalidations_is_read_by_nobody() {
    let server = RedisServer::start();
    let (db, _back_ends) = database().await;
    let ([a, b], mut redis) = ([server.cache().await, server.cache().await], server.client().await);
    assert_eq!(fetch(&a, async { text("old") }).await, text("old"));
    // A replica of a master that does not exist: it serves reads, and refuses writes.
    tell(&mut redis, &["REPLICAOF", "127.0.0.1", "1"]).await;
    commit(&a, &db).await;
    assert_eq!(fetch(&a, async { text("new") }).await, text("new"));
    // The other instance has nothing to write: its heartbeat notices.
    for _ in 0..200 {
        if is_used(&b).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..20 {
        assert_eq!(fetch(&b, async { text("new") }).await, text("new"));
        assert_eq!((is_used(&a).await, is_used(&b).await), (Err(Down), Err(Down)));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tell(&mut redis, &["REPLICAOF", "NO", "ONE"]).await;
    in_use(&b).await;
    assert_eq!(fetch(&b, async { text("new") }).await, text("new"));
    assert_eq!(fetch(&a, async { text("new") }).await, text("new"));
}
