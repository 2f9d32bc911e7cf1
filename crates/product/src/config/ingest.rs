//! Settings of log ingest: lines that may wait, and their groups.

use std::time::Duration;

use clap::Args;

use super::values::{retention, short_time};

#[derive(Args, Clone, Debug)]
pub struct IngestConfig {
    /// Log lines that may wait to be committed; beyond it the answer is 503
    #[arg(long = "ingest-queue", env = "INGEST_QUEUE", value_name = "LINES", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub queue: u32,

    /// Log lines after which a group is committed without waiting for more
    #[arg(long = "ingest-group", env = "INGEST_GROUP", value_name = "LINES", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub group: u32,

    /// Time that the first log line of a group waits for others
    #[arg(long = "ingest-delay", env = "INGEST_DELAY", value_name = "TIME", default_value = "2ms",
          value_parser = short_time)]
    pub delay: Duration,

    /// Age at which log lines are deleted, as `30d` [default: they are kept]
    #[arg(long = "log-retention", env = "LOG_RETENTION", value_name = "TIME", value_parser = retention)]
    pub retention: Option<Duration>,
}
