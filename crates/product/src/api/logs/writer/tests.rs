//! A writer that panics with lines in hand, as a defect in it or a dependency would make it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::metrics as names;
use crate::{
    api::logs::{LogQueue, lines::Lines, repository},
    config::{DatabaseConfig, IngestConfig},
    db::Db,
    entity::log_lines::Level,
    error::Error,
};

/// Recorder whose histogram of commits panics when it is armed: the writer's last step before it
/// answers.
#[derive(Default)]
struct Faulty {
    is_armed: Arc<Armed>,
    counters: Mutex<HashMap<String, Arc<AtomicU64>>>,
}

#[derive(Default)]
struct Armed(AtomicBool);

impl HistogramFn for Armed {
    fn record(&self, _: f64) {
        assert!(!self.0.swap(false, Relaxed), "on purpose");
    }
}

impl Recorder for Faulty {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let mut counters = self.counters.lock().unwrap();
        Counter::from_arc(counters.entry(key.name().to_owned()).or_default().clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match key.name() {
            names::INGEST_COMMIT => Histogram::from_arc(self.is_armed.clone()),
            _ => Histogram::noop(),
        }
    }
}

impl Faulty {
    fn restarts(&self) -> u64 {
        self.counters.lock().unwrap()[names::INGEST_RESTARTS].load(Relaxed)
    }
}

fn line_of(device: &str) -> Lines {
    let mut lines = Lines::default();
    lines.push(device, Level::Info, "m", None);
    lines
}

#[tokio::test]
async fn a_panic_costs_the_lines_in_hand_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let db = Db::connect(&DatabaseConfig::of(url, 2)).await.unwrap();
    db.set_up(async |_| Ok(())).await.unwrap();

    let recorder = Faulty::default();
    let config =
        IngestConfig { queue: 10, group: 10, delay: Duration::from_millis(20), retention: None };
    let queue = {
        let _recorder = metrics::set_default_local_recorder(&recorder);
        LogQueue::start(&db, &config).await.unwrap()
    };
    queue.commit(line_of("acknowledged")).await.unwrap();
    for round in 1..=2 {
        recorder.is_armed.0.store(true, Relaxed);
        // Two requests, which the delay gathers in one group.
        let (first, second) =
            tokio::join!(queue.commit(line_of("refused")), queue.commit(line_of("refused")));
        for refused in [first, second] {
            let refused = refused.unwrap_err();
            assert!(
                matches!(refused, Error::Unavailable { part: "writer of log lines", .. }),
                "{refused:?}"
            );
        }
        assert_eq!(recorder.restarts(), round);
        assert_eq!(queue.depth(), 0, "their room is free again");
        queue.commit(line_of("acknowledged")).await.unwrap();
    }
    queue.close().await.unwrap();
    // Refused lines may be stored.
    let stored = repository::newest(&db, "acknowledged", None, 100).await.unwrap().len();
    assert_eq!(stored, 3);
}
