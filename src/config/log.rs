//! What is logged, and how it looks.

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::Targets;

use super::values::log_filter;

#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// How log lines look [default: pretty on a terminal, json elsewhere]
    #[arg(long = "log-format", env = "LOG_FORMAT", value_name = "FORMAT")]
    pub format: Option<LogFormat>,

    /// What is logged, as `level` or `target=level,…`; the access log's target is `access`
    #[arg(long = "rust-log", env = "RUST_LOG", value_name = "FILTER",
          default_value = "info,sea_orm_migration=warn",
          value_parser = log_filter)]
    pub filter: Targets,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}
