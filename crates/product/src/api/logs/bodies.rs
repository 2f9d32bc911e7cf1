//! Request and response bodies of log ingest.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::described;
use crate::entity::log_lines::{self, Level};

/// One log line.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what `reading` reads")]
pub struct LogIn {
    #[schema(value_type = described::DeviceId)]
    pub device_id: String,
    #[schema(schema_with = described::level, required = true)]
    pub log_level: Option<Level>,
    #[schema(schema_with = described::message)]
    pub message: String,
    #[schema(schema_with = described::data)]
    pub log_data: Option<String>,
}

/// Number of lines that were written; they are on disk.
#[derive(Serialize, ToSchema)]
pub struct StoredOut {
    #[schema(example = 5)]
    pub stored: u32,
}

/// Lines of one device, newest first: as many as were asked for, or as fit into 1 MiB.
#[derive(Serialize, ToSchema)]
pub struct LinesOut {
    pub logs: Vec<LogOut>,
    /// Value of `before` that gets the lines that follow, if there are more.
    #[schema(required = true)]
    pub next_before: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub struct LogOut {
    #[schema(example = 1)]
    pub id: i64,
    #[schema(example = "sensor-17")]
    device_id: String,
    log_level: Level,
    #[schema(example = "valve opened")]
    message: String,
    #[schema(schema_with = described::stored_data, required = true)]
    log_data: Option<Box<RawValue>>,
    created_at: DateTime<Utc>,
}

impl From<log_lines::Model> for LogOut {
    fn from(line: log_lines::Model) -> Self {
        Self {
            id: line.id,
            device_id: line.device_id,
            log_level: line.log_level,
            message: line.message,
            // It was JSON when it was stored.
            log_data: line.log_data.and_then(|data| RawValue::from_string(data).ok()),
            created_at: line.created_at,
        }
    }
}

/// All lines that were ever stored, and how this instance is doing.
#[derive(Serialize, ToSchema)]
pub struct StatsOut {
    /// Lines of all devices and levels.
    #[schema(example = 10_000)]
    pub lines: i64,
    pub levels: LevelsOut,
    /// Number of devices that have lines.
    #[schema(example = 100)]
    pub devices: i64,
    /// Those with the most lines, at most 1,000 of them.
    pub per_device: Vec<DeviceOut>,
    /// Lines that this instance has accepted and not yet committed.
    #[schema(example = 120)]
    pub queue_depth: u32,
    /// Maximum of `queue_depth`; beyond it the answer is 503.
    #[schema(example = 10_000)]
    pub queue_capacity: u32,
    /// Lines that this instance committed in the last 10 seconds, per second.
    #[schema(example = 1_000.0)]
    pub lines_per_second: f64,
    /// Durability of a commit, as the connection that writes reports it.
    #[schema(example = "synchronous=FULL")]
    pub durability: String,
}

/// Lines by level.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub struct LevelsOut {
    pub debug: i64,
    pub info: i64,
    pub warning: i64,
    pub error: i64,
    pub critical: i64,
}

#[derive(Serialize, ToSchema)]
pub struct DeviceOut {
    #[schema(example = "sensor-17")]
    pub device_id: String,
    #[schema(example = 100)]
    pub lines: i64,
}
