//! Rate limits that all instances share, in Redis.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use product::{
    api::limits::{Limits, Shared},
    cache::Cache,
    config::{CacheConfig, Limit, LimitsConfig, Rate},
};
use reqwest::Method;

use crate::{
    auth::refresh,
    backends::BackEnds,
    support::{Session, TestApp, header},
};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn rate(max: u32, per: Duration) -> Rate {
    Rate(Some(Limit { max: NonZeroU32::new(max).unwrap(), per }))
}

/// The rate limits of an instance.
async fn instance(back_ends: &BackEnds, api: Rate) -> Limits {
    let config = CacheConfig {
        redis_url: Some(back_ends.redis_url()),
        redis_url_file: None,
        latency_cache: Duration::ZERO,
        bloom_false_positives: 0.01,
    };
    let cache = Cache::open(&config).await.unwrap();
    let limits = LimitsConfig {
        rate_limit_login: rate(3, Duration::from_secs(3_600)),
        rate_limit_login_address: Rate(None),
        rate_limit_register: Rate(None),
        rate_limit_api: api,
        trusted_proxies: Vec::new(),
        cors_origins: Vec::new(),
    };
    Limits::new(&limits, cache.redis().map(Shared::new))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_count_together() {
    let back_ends = BackEnds::new();
    let [a, b] = [instance(&back_ends, Rate(None)).await, instance(&back_ends, Rate(None)).await];
    let mut remaining = Vec::new();
    for limits in [&a, &b, &a] {
        remaining.push(limits.login(HERE, "ada@example.org").await.unwrap().unwrap().remaining);
    }
    assert_eq!(remaining, [2, 1, 0]);
    for limits in [&a, &b] {
        let refused = limits.login(HERE, "ada@example.org").await.unwrap_err();
        assert!(format!("{refused:?}").contains("retry_after: Some(1"), "{refused:?}");
        assert!(limits.login(HERE, "bob@example.org").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_pass_than_the_limit_however_many_ask_both_at_once() {
    let back_ends = BackEnds::new();
    let limit = rate(100, Duration::from_secs(3_600));
    let instances = [instance(&back_ends, limit).await, instance(&back_ends, limit).await];
    let ask = |n: usize| {
        let limits = instances[n % 2].clone();
        tokio::spawn(async move { limits.api(11).await.is_ok() })
    };
    let requests: Vec<_> = (0..500).map(ask).collect();
    let mut passed = 0;
    for request in requests {
        passed += usize::from(request.await.unwrap());
    }
    assert_eq!(passed, 100);
}

#[test]
fn a_new_token_is_the_same_caller_at_another_instance() {
    let flags = ["--rate-limit-api=3/h", "--jwt-secret=a secret that only the tests know"];
    let a = TestApp::start_with(&flags);
    let b = TestApp::start_beside(&a, &flags);
    a.run(async {
        let list = async |app: &TestApp, session: &Session| {
            app.as_user(session, Method::GET, "/api/v2/todos").send().await.unwrap()
        };
        let first = a.sign_up("ada").await;
        assert_eq!(header(&list(&a, &first).await, "ratelimit-remaining"), "2");
        let refreshed = refresh(&b, &first).await;
        assert_eq!(header(&refreshed, "ratelimit-remaining"), "1");
        let second: Session = refreshed.json().await.unwrap();
        assert_eq!(header(&list(&b, &second).await, "ratelimit-remaining"), "0");
        for (app, session) in [(&a, &first), (&b, &first), (&a, &second), (&b, &second)] {
            assert_eq!(list(app, session).await.status(), 429);
        }
    });
}

/// If a number in the Redis script lost digits, the count would stand still, or jump.
#[tokio::test(flavor = "multi_thread")]
async fn a_high_rate_is_counted_to_the_microsecond() {
    let back_ends = BackEnds::new();
    let limits = instance(&back_ends, rate(4_000_000, Duration::from_secs(3_600))).await;
    let started = Instant::now();
    let first = limits.api(11).await.unwrap().unwrap();
    assert_eq!(first.remaining, 3_999_999);
    for answer in join_all((0..100).map(|_| limits.api(11))).await {
        answer.unwrap();
    }
    let last = limits.api(11).await.unwrap().unwrap();
    // One comes back every 900 µs.
    let back = u32::try_from(started.elapsed().as_micros() / 900).unwrap() + 1;
    assert!((3_999_898..=3_999_898 + back).contains(&last.remaining), "{last:?}, {back}");
}
