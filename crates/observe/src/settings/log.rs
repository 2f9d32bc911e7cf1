//! Settings of the log: filter and format.

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// Format of log lines [default: pretty on a terminal, json elsewhere]
    #[arg(long = "log-format", env = "LOG_FORMAT", value_name = "FORMAT")]
    pub format: Option<LogFormat>,

    /// Log filter, as `level` or `target=level,…`; the access log's target is `access`
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

/// Parses `level` or `target=level`, with commas between. Refuses a word that is no level: it would
/// be taken for a target, and a misspelt level would switch the log off.
pub fn log_filter(filter: &str) -> Result<Targets, String> {
    // An empty level would mean error.
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let of_target = |b: u8| b.is_ascii_alphanumeric() || b"_:-.".contains(&b);
    let is_target = |text: &str| !text.is_empty() && text.bytes().all(of_target);
    let is_known = filter.split(',').all(|part| match part.split_once('=') {
        Some((target, level)) => is_target(target) && is_level(level),
        None => is_level(part),
    });
    match filter.parse() {
        Ok(targets) if is_known => Ok(targets),
        _ => {
            Err("a level (off, error, warn, info, debug, trace) or target=level,… is needed"
                .to_owned())
        }
    }
}
