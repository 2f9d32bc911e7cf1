//! Shutdown in the order that loses nothing: requests, the service they call, log
//! lines, database, threads.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use tokio::time::{sleep, timeout};

use super::Server;

/// Time for the ops port and for the database to close.
const OPS_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Time for the last group of log lines to be committed.
const LINES_COMMITTED_WITHIN: Duration = Duration::from_secs(5);

/// Time for threads that still block when no request is left.
const THREADS_END_WITHIN: Duration = Duration::from_millis(200);

/// Exit code of a process that a signal ended, by the shells' convention for SIGINT.
const INTERRUPTED: i32 = 130;

impl Server {
    /// Shuts down. Reports not ready and takes requests for the drain period, then takes no new
    /// ones and lets those in flight finish. True if all were answered completely. Ops answers
    /// until then, so the shutdown can be watched.
    pub fn stop(self) -> bool {
        let Self { app, ops, upstream, races, db, logs, serving_app, serving_ops, .. } = self;
        let mut signals = self.signals;
        let (drain_period, patience) = (self.drain_period, self.patience);
        ops.spawn(async move {
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        self.leaving.store(true, SeqCst);
        let all_finished = ops.block_on(async {
            sleep(drain_period).await;
            // A race would go on sending, and its followers would never end.
            races.close();
            let finished = serving_app.stop(!drain_period.is_zero(), patience).await;
            serving_ops.stop(false, OPS_ENDS_WITHIN).await;
            finished
        });
        upstream.stop();
        // Lines of a client that went away are written too.
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
