//! Settings of the log and of traces; a program includes them with `#[command(flatten)]`.

use clap::{Args, builder::BoolishValueParser};

/// Settings of the log.
mod log;
/// Settings of traces that neither SDK nor exporter reads.
mod otel;
/// CAs of an https receiver.
mod otel_tls;
/// OpenTelemetry's variables that SDK and exporter read.
pub(crate) mod otel_variables;

pub use log::{LogConfig, LogFormat, log_filter};
pub use otel::{Exporter, OtelConfig};

/// Every setting of this crate.
#[derive(Args, Clone, Debug)]
// A program may have settings of that name too.
#[group(skip)]
pub struct Settings {
    #[command(flatten)]
    pub log: LogConfig,

    /// Serve tokio-console on 127.0.0.1:6669
    #[arg(long, env, value_name = "BOOL", default_value = "false", num_args = 0..=1,
          default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub tokio_console: bool,

    /// MiB that the recent traces may take, as the server estimates them
    #[arg(long, env, value_name = "MIB", default_value_t = 24,
          value_parser = clap::value_parser!(u16).range(4..=32))]
    pub trace_ring_mib: u16,

    #[command(flatten)]
    pub otel: OtelConfig,
}

impl Settings {
    /// Bytes that the recent traces may take.
    pub fn trace_ring_bytes(&self) -> usize {
        usize::from(self.trace_ring_mib) * 1024 * 1024
    }
}
