//! What clients send and get.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::entity::log_lines::{self, Level};

/// One log line.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what `reading` reads")]
pub struct LogIn {
    #[schema(example = "sensor-17", pattern = "^[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}$")]
    pub device_id: String,
    /// In any case; `WARN` is `WARNING`.
    #[schema(value_type = Level, example = "INFO")]
    pub log_level: Option<Level>,
    #[schema(example = "valve opened", min_length = 1, max_length = 10_000)]
    pub message: String,
    /// Whatever else belongs to the line: a JSON object of up to 16 KiB.
    #[schema(value_type = Option<Object>, example = json!({"celsius": 21.5}))]
    pub log_data: Option<String>,
}

/// Many lines at once. A bare array of lines will do as well.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what `reading` reads")]
pub struct BatchIn {
    #[schema(min_items = 1, max_items = 1_000)]
    logs: Vec<LogIn>,
}

/// How many lines were written; they are on disk.
#[derive(Serialize, ToSchema)]
pub struct StoredOut {
    #[schema(example = 5)]
    pub stored: u32,
}

/// Lines of one device, newest first: as many as were asked for, or as fit into 1 MiB.
#[derive(Serialize, ToSchema)]
pub struct LinesOut {
    pub logs: Vec<LogOut>,
    /// What `before` must be to get the lines that follow, if there are more.
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
    #[schema(value_type = Option<Object>, example = json!({"celsius": 21.5}))]
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
    /// How many devices have lines.
    #[schema(example = 100)]
    pub devices: i64,
    /// Those with the most lines, at most 1,000 of them.
    pub per_device: Vec<DeviceOut>,
    /// Lines that this instance has accepted and not yet committed.
    #[schema(example = 120)]
    pub queue_depth: u32,
    /// How many of those there may be; beyond it the answer is 503.
    #[schema(example = 10_000)]
    pub queue_capacity: u32,
    /// Lines that this instance committed in the last 10 seconds, per second.
    #[schema(example = 1_000.0)]
    pub lines_per_second: f64,
    /// What the connection that writes answers when it is asked how safe a commit is.
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
