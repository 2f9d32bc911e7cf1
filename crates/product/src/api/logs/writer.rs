//! Commits lines in groups: one transaction, and so one flush to disk, for all that wait. While a
//! group is being committed the next one gathers, so groups grow with the load.
//!
//! A panic costs only the group in hand: none of its requests is confirmed, and the next group is
//! written as usual.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use metrics::{Counter, Histogram, counter, histogram};
use sea_orm::DbErr;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{timeout, timeout_at},
};

use super::{
    lines::Devices,
    queue::{Lost, Pending},
    rate::Rate,
    repository,
};
use crate::metrics as names;
use crate::{
    config::IngestConfig,
    db::{Db, is_unavailable},
    entity::log_lines::Level,
};

/// Longest commit of a group. A slower database has failed it: its requests must get an answer.
const GROUP_WITHIN: Duration = Duration::from_secs(15);

pub struct Writer {
    db: Db,
    group: usize,
    delay: Duration,
    rate: Arc<Rate>,
    group_lines: Histogram,
    commit_time: Histogram,
    written: [Counter; Level::ALL.len()],
    restarts: Counter,
}

impl Writer {
    pub fn new(db: Db, config: &IngestConfig, rate: Arc<Rate>) -> Self {
        Self {
            db,
            group: config.group as usize,
            delay: config.delay,
            rate,
            group_lines: histogram!(names::INGEST_GROUP),
            commit_time: histogram!(names::INGEST_COMMIT),
            written: Level::ALL.map(|(_, level)| counter!(names::INGEST_LINES, "level" => level)),
            restarts: counter!(names::INGEST_RESTARTS),
        }
    }

    /// Runs until the queue is dropped.
    pub async fn run(self, mut queue: UnboundedReceiver<Pending>) {
        // Safe: the group and its transaction are dropped, so a panic leaves nothing half done.
        while let Err(panic) = AssertUnwindSafe(self.serve(&mut queue)).catch_unwind().await {
            self.restarts.increment(1);
            let panic = observe::shown::panic_message(&*panic);
            tracing::error!(panic, "the writer of log lines has panicked, and goes on");
        }
    }

    async fn serve(&self, queue: &mut UnboundedReceiver<Pending>) {
        while let Some(first) = queue.recv().await {
            let mut group = self.gather(first, queue).await;
            group.iter_mut().for_each(Pending::begin);
            match self.write(&group).await {
                Ok(()) => settle(group, &Ok(())),
                // One line that can't be stored must not take the others with it.
                Err(Lost::Failed(_)) if group.len() > 1 => self.write_each(group).await,
                Err(lost) => settle(group, &Err(lost)),
            }
        }
    }

    /// Collects what waits already and what comes within the delay, up to the size of a group.
    async fn gather(&self, first: Pending, queue: &mut UnboundedReceiver<Pending>) -> Vec<Pending> {
        let deadline = tokio::time::Instant::now() + self.delay;
        let mut lines = first.lines.count as usize;
        let mut group = vec![first];
        while lines < self.group {
            let next = match queue.try_recv() {
                Ok(next) => next,
                Err(_) => match timeout_at(deadline, queue.recv()).await {
                    Ok(Some(next)) => next,
                    Ok(None) | Err(_) => break,
                },
            };
            lines += next.lines.count as usize;
            group.push(next);
        }
        group
    }

    async fn write_each(&self, group: Vec<Pending>) {
        for pending in group {
            let alone = [pending];
            let result = self.write(&alone).await;
            settle(alone, &result);
        }
    }

    async fn write(&self, group: &[Pending]) -> Result<(), Lost> {
        let started = Instant::now();
        let (json, devices) = joined(group);
        let committed = timeout(GROUP_WITHIN, repository::insert(&self.db, json, &devices)).await;
        match committed {
            Ok(Ok(())) => {
                self.commit_time.record(started.elapsed().as_secs_f64());
                self.record(&devices);
                Ok(())
            }
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => Err(Lost::Unavailable(format!("no commit within {GROUP_WITHIN:?}").into())),
        }
    }

    fn record(&self, devices: &Devices) {
        let mut lines = 0;
        for (level, counter) in self.written.iter().enumerate() {
            let of_level = devices.values().map(|counts| counts[level]).sum();
            counter.increment(of_level);
            lines += of_level;
        }
        self.group_lines.record(lines as f64);
        self.rate.add(lines);
    }
}

fn settle(group: impl IntoIterator<Item = Pending>, result: &Result<(), Lost>) {
    for pending in group {
        pending.settle(result.clone());
    }
}

fn lost(error: &DbErr) -> Lost {
    let why = error.to_string().into();
    if is_unavailable(error) { Lost::Unavailable(why) } else { Lost::Failed(why) }
}

/// Joins the lines of a group to one JSON array, and adds up the counts of each device.
fn joined(group: &[Pending]) -> (Vec<u8>, Devices) {
    let bytes: usize = group.iter().map(|pending| pending.lines.json.len() + 1).sum();
    let mut json = Vec::with_capacity(bytes + 1);
    let mut devices = Devices::new();
    for Pending { lines, .. } in group {
        json.push(if json.is_empty() { b'[' } else { b',' });
        json.extend_from_slice(&lines.json);
        for (device, counts) in &lines.devices {
            // Most devices of a group are there already, and need no copy of their name.
            let total = match devices.get_mut(device) {
                Some(total) => total,
                None => devices.entry(device.clone()).or_default(),
            };
            total.iter_mut().zip(counts).for_each(|(total, more)| *total += more);
        }
    }
    json.push(b']');
    (json, devices)
}

#[cfg(test)]
mod tests;
