//! The end, in the order in which nothing is lost: requests, log lines, database, threads.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use tokio::time::{sleep, timeout};

use super::Server;

/// How long what is not a request gets at the end.
const OPS_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// How long the last group of log lines gets at the end.
const LINES_COMMITTED_WITHIN: Duration = Duration::from_secs(5);

/// How long threads that still block get at the end, when no request is left.
const THREADS_END_WITHIN: Duration = Duration::from_millis(200);

/// The exit code of a process that a signal ended, by the shells' convention for SIGINT.
const INTERRUPTED: i32 = 130;

impl Server {
    /// Says that it leaves, and takes requests for the drain period all the same; then it takes no new
    /// ones, lets those in flight finish, and ends. True if all of them were answered whole. Ops answers
    /// until then, so the end can be watched.
    pub fn stop(self) -> bool {
        let Self { app, ops, db, logs, serving_app, serving_ops, mut signals, .. } = self;
        let (drain_period, patience) = (self.drain_period, self.patience);
        ops.spawn(async move {
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        self.leaving.store(true, SeqCst);
        let all_finished = ops.block_on(async {
            sleep(drain_period).await;
            let finished = serving_app.stop(!drain_period.is_zero(), patience).await;
            serving_ops.stop(false, OPS_ENDS_WITHIN).await;
            finished
        });
        // A client that went away has its lines written all the same.
        match app.block_on(async { timeout(LINES_COMMITTED_WITHIN, logs.close()).await }) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the log lines' connection did not close"),
            Err(_) => tracing::warn!("log lines that were accepted may not be committed"),
        }
        if all_finished {
            match app.block_on(async { timeout(OPS_ENDS_WITHIN, db.close()).await }) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the database did not close"),
                Err(_) => tracing::warn!("the database did not close in time"),
            }
        }
        app.shutdown_timeout(THREADS_END_WITHIN);
        ops.shutdown_timeout(THREADS_END_WITHIN);
        all_finished
    }
}
