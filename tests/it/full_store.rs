//! Tests for every store that has no room left: nothing acknowledged is lost, readiness reports it,
//! reads still work, and with room again everything works.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{acknowledged::Writer, program::Serving};

/// Number of times that the store is filled and freed.
const CYCLES: usize = 3;

/// Number of refusals that show that the store is full.
const REFUSALS: usize = 4;

/// Rounds of a client within which a full store must refuse.
const ROUNDS: usize = 500;

/// Clients that write at once.
const CLIENTS: usize = 8;

/// Attempts, 20 ms apart, before a wait fails.
const ATTEMPTS: usize = 1_000;

pub trait Store {
    /// Starts a server on this store, with the rows of the server before it.
    fn start(&self) -> Serving;
    fn fill(&self, serving: &Serving);
    fn free(&self, serving: &Serving);
}

/// Settings of every such server.
pub const SETTINGS: [(&str, &str); 7] = [
    ("BCRYPT_COST", "4"),
    ("INSECURE", "true"),
    ("JWT_SECRET", "the same one after every restart"),
    ("RATE_LIMIT_LOGIN", "off"),
    ("RATE_LIMIT_LOGIN_ADDRESS", "off"),
    ("RATE_LIMIT_REGISTER", "off"),
    ("RATE_LIMIT_API", "off"),
];

pub fn nothing_is_lost(store: &dyn Store) {
    let runtime = Runtime::new().unwrap();
    let serving = store.start();
    let writer = runtime.block_on(async {
        let mut writer = Writer::new(&serving.url(""), "alone").await;
        assert_eq!(writer.round().await.unavailable, 0);
        for _ in 0..CYCLES {
            store.fill(&serving);
            until_refused(&mut writer).await;
            for _ in 0..REFUSALS {
                writer.round().await;
            }
            store.free(&serving);
            until(async || writer.round().await.unavailable == 0, "writes that work").await;
            for _ in 0..REFUSALS {
                assert_eq!(writer.round().await.unavailable, 0, "with room again");
            }
        }
        writer
    });
    nothing_is_missing(store, &runtime, serving, vec![writer]);
}

pub fn nothing_is_lost_under_load(store: &dyn Store) {
    let runtime = Runtime::new().unwrap();
    let serving = store.start();
    let writers = runtime.block_on(async {
        let load = Load::start(&serving).await;
        for _ in 0..CYCLES {
            store.fill(&serving);
            load.until_more(&load.refused, CLIENTS * REFUSALS).await;
            store.free(&serving);
            load.until_more(&load.whole, CLIENTS * REFUSALS).await;
        }
        load.stop().await
    });
    nothing_is_missing(store, &runtime, serving, writers);
}

pub fn readiness_follows_and_reads_go_on(store: &dyn Store) {
    let runtime = Runtime::new().unwrap();
    let serving = store.start();
    runtime.block_on(async {
        let mut writer = Writer::new(&serving.url(""), "watched").await;
        for _ in 0..CYCLES {
            assert_eq!(writer.status("/health/ready").await, 200);
            store.fill(&serving);
            until_refused(&mut writer).await;
            until(async || writer.status("/health/ready").await == 503, "ready to be 503").await;
            for _ in 0..REFUSALS {
                assert_eq!(writer.reads().await, [200; 4]);
                assert_eq!(writer.status("/health/ready").await, 503);
                assert_eq!(writer.status("/health/live").await, 200);
            }
            store.free(&serving);
            // By itself: a server that is not ready gets no writes that could show the free room.
            until(async || writer.status("/health/ready").await == 200, "ready to be 200").await;
            assert_eq!(writer.round().await.unavailable, 0, "with room again");
        }
    });
}

/// Checks for missing writes after a clean stop and a restart.
fn nothing_is_missing(
    store: &dyn Store,
    runtime: &Runtime,
    serving: Serving,
    writers: Vec<Writer>,
) {
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.end().0, Some(0));
    let serving = store.start();
    runtime.block_on(async {
        let (mut acknowledged, mut missing) = (0, Vec::new());
        let mut unexpected = Vec::new();
        for mut writer in writers {
            writer.is_served_by(serving.url(""));
            acknowledged += writer.count();
            missing.extend(writer.missing().await);
            unexpected.extend_from_slice(writer.unexpected());
        }
        println!("{acknowledged} acknowledged, {} missing", missing.len());
        missing.truncate(20);
        assert!(missing.is_empty(), "of {acknowledged} acknowledged, among others: {missing:?}");
        assert_eq!(unexpected, Vec::<String>::new());
    });
}

async fn until_refused(writer: &mut Writer) {
    let mut refused = 0;
    for _ in 0..ROUNDS {
        refused += writer.round().await.unavailable;
        if refused >= REFUSALS {
            return;
        }
    }
    panic!("{refused} refusals in {ROUNDS} rounds: the store was not full");
}

async fn until(mut holds: impl AsyncFnMut() -> bool, what: &str) {
    for _ in 0..ATTEMPTS {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain for {what}");
}

/// Clients that write until they are stopped.
struct Load {
    is_over: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    /// Rounds without a refusal.
    whole: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Writer>>,
}

impl Load {
    async fn start(serving: &Serving) -> Self {
        let (is_over, refused, whole) = (Arc::default(), Arc::default(), Arc::default());
        let mut load = Self { is_over, refused, whole, clients: Vec::new() };
        for n in 0..CLIENTS {
            let mut writer = Writer::new(&serving.url(""), &format!("client{n}")).await;
            let (is_over, refused) = (load.is_over.clone(), load.refused.clone());
            let whole = load.whole.clone();
            load.clients.push(tokio::spawn(async move {
                while !is_over.load(Relaxed) {
                    let unavailable = writer.round().await.unavailable;
                    refused.fetch_add(unavailable, Relaxed);
                    whole.fetch_add(usize::from(unavailable == 0), Relaxed);
                }
                writer
            }));
        }
        load
    }

    async fn until_more(&self, counted: &AtomicUsize, more: usize) {
        let target = counted.load(Relaxed) + more;
        let is_reached = async || {
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client has failed");
            counted.load(Relaxed) >= target
        };
        until(is_reached, "the load to be answered so").await;
    }

    async fn stop(self) -> Vec<Writer> {
        self.is_over.store(true, Relaxed);
        join_all(self.clients).await.into_iter().map(Result::unwrap).collect()
    }
}
