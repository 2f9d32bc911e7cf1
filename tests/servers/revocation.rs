//! A logout while Redis is flushed, down, or down for one instance only.

use std::{sync::Arc, time::Duration};

use redis::{AsyncCommands, aio::MultiplexedConnection};
use reqwest::StatusCode;
use sha2::{Digest, Sha256};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    auth::log_out,
    backends::BackEnds,
    support::{Session, TestApp},
};

const WITH_SECRET: [&str; 2] = ["--jwt-secret", "a secret that only the tests know"];

/// Two instances on one database and one Redis, and a connection to that Redis.
fn instances() -> (TestApp, TestApp, MultiplexedConnection) {
    let back_ends = Arc::new(BackEnds::new());
    let here = TestApp::start_on(back_ends.clone(), &WITH_SECRET);
    let there = TestApp::start_beside(&here, &WITH_SECRET);
    let redis = connected(&here, &back_ends);
    (here, there, redis)
}

/// Connects on the app's runtime, so the connection must not outlive it.
fn connected(app: &TestApp, back_ends: &BackEnds) -> MultiplexedConnection {
    let redis = redis::Client::open(back_ends.redis_url()).unwrap();
    app.run(async { redis.get_multiplexed_async_connection().await.unwrap() })
}

async fn leave(app: &TestApp, session: &Session) -> StatusCode {
    log_out(app, "v2", session).await.status()
}

/// True once the revocations are copied to Redis and trusted.
async fn is_trusted(redis: &mut MultiplexedConnection) -> bool {
    let keys = ["jwt:blacklist:epoch", "jwt:blacklist:loaded"];
    let [epoch, loaded]: [Option<String>; 2] = redis.mget(&keys[..]).await.unwrap();
    epoch.is_some() && epoch == loaded
}

/// Logs other users out until Redis is trusted, which needs requests with tokens.
async fn make_trusted(app: &TestApp, redis: &mut MultiplexedConnection, name: &str) {
    for n in 0..100 {
        let other = app.sign_up(&format!("{name}_{n}")).await;
        assert_eq!(leave(app, &other).await, 204);
        if is_trusted(redis).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("what is revoked was never copied");
}

#[test]
fn a_logout_is_kept_in_redis_for_as_long_as_the_token_lives() {
    let (here, _there, mut redis) = instances();
    here.run(async {
        let session = here.sign_up("ada").await;
        assert_eq!(leave(&here, &session).await, 204);
        let digest = Sha256::digest(&session.token);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let left: i64 = redis.ttl(format!("jwt:blacklist:{digest}")).await.unwrap();
        assert!((1..=900).contains(&left), "{left}");
    });
}

#[test]
fn a_flushed_redis_lets_no_revoked_token_in() {
    let (here, there, mut redis) = instances();
    here.run(async {
        for round in 0..5 {
            let session = here.sign_up(&format!("leaves_{round}")).await;
            make_trusted(&there, &mut redis, &format!("stays_{round}")).await;
            assert_eq!(leave(&here, &session).await, 204);
            assert_eq!(leave(&there, &session).await, 401, "before, round {round}");
            let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
            assert_eq!(leave(&there, &session).await, 401, "round {round}");
            make_trusted(&there, &mut redis, &format!("again_{round}")).await;
            assert_eq!(leave(&there, &session).await, 401, "after, round {round}");
        }
    });
}

/// Forwards connections to Redis until it is stopped.
async fn proxy(redis: String) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (is_open, opened) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (redis, mut opened) = (redis.clone(), opened.clone());
            tokio::spawn(async move {
                if *opened.borrow()
                    && let Ok(mut server) = TcpStream::connect(redis).await
                {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = opened.wait_for(|open| !open) => {}
                    }
                }
            });
        }
    });
    (addr, is_open)
}

#[test]
fn an_instance_that_alone_has_lost_redis_logs_out_for_all() {
    let back_ends = Arc::new(BackEnds::new());
    let there = TestApp::start_on(back_ends.clone(), &WITH_SECRET);
    let mut redis = connected(&there, &back_ends);
    let url = reqwest::Url::parse(&back_ends.redis_url()).unwrap();
    let addr = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let (through, is_open) = there.run(proxy(addr));
    let redis_url = format!("redis://{through}{}", url.path());
    let flags = [&WITH_SECRET[..], &["--redis-url", &redis_url]].concat();
    let here = TestApp::start_beside(&there, &flags);
    there.run(async {
        for round in 0..3 {
            let session = here.sign_up(&format!("leaves_{round}")).await;
            make_trusted(&there, &mut redis, &format!("stays_{round}")).await;
            is_open.send(false).unwrap();
            let name = format!("more_{round}");
            let trusted = make_trusted(&there, &mut redis, &name);
            let (left, ()) = tokio::join!(leave(&here, &session), trusted);
            assert_eq!(left, 204, "round {round}");
            assert_eq!(leave(&there, &session).await, 401, "there, round {round}");
            is_open.send(true).unwrap();
            assert_eq!(leave(&here, &session).await, 401, "here, round {round}");
            make_trusted(&here, &mut redis, &format!("back_{round}")).await;
            assert_eq!(leave(&there, &session).await, 401, "there at last, round {round}");
        }
    });
}
