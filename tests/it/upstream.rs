//! The upstream, asked over TCP: its faults, its counts, and the traces that it continues.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, StatusCode};
use observe::{
    cost::{
        Cost,
        Counter::{UpstreamCalls, UpstreamConnections, UpstreamInFlight, UpstreamMs},
    },
    request_cost::{Measured, RequestCost},
    request_id::Ids,
};
use reqwest::Client;
use server::lifecycle::open_database;
use tokio::{runtime::Runtime, time::sleep};
use workshop::upstream::{Fate, Faults, Phase, Server, Upstream, counting_client};

use crate::backends::BackEnds;

/// The service alone, with a database, and a runtime for its clients.
struct Beside {
    server: Option<Server>,
    runtime: Runtime,
    _back_ends: BackEnds,
}

impl Beside {
    fn start() -> Self {
        let (runtime, back_ends) = (Runtime::new().unwrap(), BackEnds::new());
        let db = runtime.block_on(open_database(&back_ends.database(2))).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = Some(Server::start(listener, &db, None).unwrap());
        Self { server, runtime, _back_ends: back_ends }
    }

    fn caller(&self, variant: &str) -> Upstream {
        self.server.as_ref().unwrap().service().for_caller("test", variant)
    }

    /// Runs the work of one request, and returns its cost.
    fn cost_of(&self, work: impl Future<Output = ()>) -> Cost {
        let ids = Ids::of(&HeaderMap::new(), None);
        let request_cost = RequestCost::new(ids, None, Instant::now());
        self.runtime.block_on(Measured::new(request_cost.clone(), work));
        request_cost.cost()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.server.take().unwrap().stop();
    }
}

const NEAR: Faults = Faults {
    seed: 0,
    latency: Duration::ZERO,
    errors: 0,
    stalls: 0,
    connections: None,
    phases: &[],
};

async fn status(upstream: &Upstream, http: &Client) -> StatusCode {
    upstream.send(http.get(upstream.url("/check"))).await.unwrap().status
}

#[test]
fn a_call_takes_its_distance_and_is_counted_on_the_request_with_its_connection() {
    let beside = Beside::start();
    let upstream = beside.caller("slow");
    upstream.begin(Faults { latency: Duration::from_millis(40), ..NEAR });
    let cost = beside.cost_of(async { upstream.check().await.unwrap() });
    let counted = |cost: &Cost| {
        [UpstreamCalls, UpstreamConnections, UpstreamInFlight].map(|counter| cost.value(counter))
    };
    assert_eq!(counted(&cost), [1, 1, 1]);
    assert!(cost.value(UpstreamMs) >= 40_000_000, "{cost:?}");
    // The connection is kept, and a clone is the same client. It is back in the pool a moment after
    // its answer: a call right behind might open another.
    let clone = upstream.clone();
    let cost = beside.cost_of(async {
        for _ in 0..2 {
            sleep(Duration::from_millis(100)).await;
            clone.check().await.unwrap();
        }
    });
    assert_eq!(counted(&cost), [2, 0, 1]);
    // A client of one's own opens its own connection, and it is counted as well.
    let cost = beside.cost_of(async {
        status(&upstream, &counting_client()).await;
    });
    assert_eq!(counted(&cost), [1, 1, 1]);
    let counts = upstream.counts();
    assert_eq!((counts.requests, counts.connections), (4, 2));
}

#[test]
fn a_client_that_gives_up_has_waited_too() {
    let beside = Beside::start();
    let upstream = beside.caller("slow");
    upstream.begin(Faults { stalls: 100, ..NEAR });
    let patience = Duration::from_millis(30);
    let cost = beside.cost_of(async {
        assert!(tokio::time::timeout(patience, upstream.check()).await.is_err());
        let with_timeout = upstream.http().get(upstream.url("/check")).timeout(patience);
        assert!(upstream.send(with_timeout).await.is_err());
    });
    assert_eq!(cost.value(UpstreamCalls), 2);
    assert!(cost.value(UpstreamMs) >= 60_000_000, "{cost:?}");
    // A new run is served again.
    upstream.begin(NEAR);
    beside.runtime.block_on(upstream.check()).unwrap();
}

#[test]
fn a_seed_decides_which_requests_fail_and_for_this_caller_alone() {
    let beside = Beside::start();
    let (failing, healthy) = (beside.caller("slow"), beside.caller("fast"));
    let faults = Faults { seed: 7, errors: 40, ..NEAR };
    failing.begin(faults);
    healthy.begin(NEAR);
    let statuses = |run: &Upstream| -> Vec<StatusCode> {
        beside.runtime.block_on(async {
            let mut statuses = Vec::new();
            for _ in 0..200 {
                statuses.push(status(run, run.http()).await);
                assert_eq!(status(&healthy, healthy.http()).await, StatusCode::OK);
            }
            statuses
        })
    };
    let first = statuses(&failing);
    let drawn = (0..200).map(|number| match faults.fate(number) {
        Fate::Failed(status) => status,
        Fate::Answered => StatusCode::OK,
        Fate::Stalled => unreachable!("none stall"),
    });
    assert!(drawn.eq(first.iter().copied()), "{first:?}");
    let count = |wanted: StatusCode| first.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(StatusCode::INTERNAL_SERVER_ERROR), 40);
    assert_eq!(count(StatusCode::SERVICE_UNAVAILABLE), 40);
    failing.begin(faults);
    assert_eq!(statuses(&failing), first, "the same seed is the same run");
    assert_eq!(failing.counts().requests, 200);
    assert_eq!(healthy.counts().requests, 400);
}

#[test]
fn an_outage_lasts_so_many_requests_of_the_app_however_often_they_call() {
    const PHASES: &[Phase] = &[Phase::Down(2), Phase::Stumbles(1), Phase::Up(1)];
    let beside = Beside::start();
    let statuses_of_one_request = |upstream: &Upstream, calls: usize| {
        let mut statuses = Vec::new();
        beside.cost_of(async {
            for _ in 0..calls {
                statuses.push(status(upstream, upstream.http()).await.is_success());
            }
        });
        statuses
    };
    for calls in [1, 3] {
        let upstream = beside.caller("slow");
        upstream.begin(Faults { phases: PHASES, ..NEAR });
        let mut stumbles = vec![true; calls];
        stumbles[0] = false;
        let expected = [vec![false; calls], vec![false; calls], stumbles, vec![true; calls]];
        for expected in expected.iter().chain(&expected) {
            assert_eq!(&statuses_of_one_request(&upstream, calls), expected);
        }
    }
    // Outside a request of the app nothing tells which calls belong together.
    let upstream = beside.caller("slow");
    upstream.begin(Faults { phases: PHASES, ..NEAR });
    for is_up in [false, false, false, true] {
        let status = beside.runtime.block_on(status(&upstream, upstream.http()));
        assert_eq!(status.is_success(), is_up);
    }
}

#[test]
fn a_connection_of_the_run_before_takes_no_place_in_the_next() {
    let beside = Beside::start();
    let upstream = beside.caller("slow");
    let cap = Faults { connections: Some(1), ..NEAR };
    beside.runtime.block_on(async {
        let (first, second) = (counting_client(), counting_client());
        upstream.begin(cap);
        assert_eq!(status(&upstream, &first).await, StatusCode::OK);
        assert_eq!(status(&upstream, &second).await, StatusCode::SERVICE_UNAVAILABLE);
        // Both connections are kept, and who comes first is admitted.
        upstream.begin(cap);
        assert_eq!(status(&upstream, &second).await, StatusCode::OK);
        assert_eq!(status(&upstream, &first).await, StatusCode::SERVICE_UNAVAILABLE);
        let counts = upstream.counts();
        assert_eq!((counts.requests, counts.refused, counts.connections), (2, 1, 2));
    });
}

#[test]
fn a_connection_beyond_the_cap_is_refused_until_another_closes() {
    let beside = Beside::start();
    let upstream = beside.caller("slow");
    upstream.begin(Faults { connections: Some(1), ..NEAR });
    beside.runtime.block_on(async {
        let (first, second) = (counting_client(), counting_client());
        assert_eq!(status(&upstream, &first).await, StatusCode::OK);
        assert_eq!(status(&upstream, &second).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&upstream, &first).await, StatusCode::OK);
        let counts = upstream.counts();
        assert_eq!((counts.requests, counts.refused, counts.connections), (3, 1, 2));
        // Its connection closes with it.
        drop(first);
        let is_free = async {
            while status(&upstream, &second).await != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), is_free).await.unwrap();
    });
}

#[test]
fn it_counts_the_most_requests_at_once_and_the_mails() {
    let beside = Beside::start();
    let upstream = beside.caller("slow");
    upstream.begin(Faults { stalls: 100, ..NEAR });
    beside.runtime.block_on(async {
        let stalled: Vec<_> = (0..10)
            .map(|_| {
                let upstream = upstream.clone();
                tokio::spawn(async move { upstream.check().await })
            })
            .collect();
        let all_arrived = async {
            while upstream.counts().most_in_flight < 10 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), all_arrived).await.unwrap();
        stalled.iter().for_each(tokio::task::JoinHandle::abort);
        upstream.begin(NEAR);
        for _ in 0..3 {
            upstream.mail("ada@example.com").await.unwrap();
        }
        let no_mail = upstream.http().post(upstream.url("/mail")).body("no mail");
        assert!(upstream.send(no_mail).await.unwrap().succeeded().is_err());
    });
    assert_eq!(upstream.counts().mails, 3);
}

#[test]
fn only_callers_that_are_known_are_served() {
    let beside = Beside::start();
    let known = beside.caller("slow");
    let unknown = known.url("/check").replace("/slow/", "/unknown/");
    beside.runtime.block_on(async {
        let answer = known.send(known.http().get(unknown)).await.unwrap();
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        // Seeded todos have tags, and no other has.
        assert!(!known.tags_of(1).await.unwrap().is_empty());
        assert!(known.tags_of(i64::MAX).await.unwrap().is_empty());
    });
}
