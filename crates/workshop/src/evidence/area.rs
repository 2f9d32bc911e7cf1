//! Areas of the catalogue, in teaching order.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Area of a lab. lab.json has its id; people read its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    AsyncRuntime,
    Database,
    Cache,
    CpuMemory,
    Overload,
    Observability,
}

impl Area {
    pub const ALL: [Self; 6] = [
        Self::AsyncRuntime,
        Self::Database,
        Self::Cache,
        Self::CpuMemory,
        Self::Overload,
        Self::Observability,
    ];

    /// Id, as in lab.json.
    pub fn id(self) -> &'static str {
        match self {
            Self::AsyncRuntime => "async_runtime",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::CpuMemory => "cpu_memory",
            Self::Overload => "overload",
            Self::Observability => "observability",
        }
    }

    /// The area's folder, which is a crate, relative to that of the repository.
    pub fn folder(self) -> PathBuf {
        Path::new("src/labs").join(self.id())
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::AsyncRuntime => "Async runtime",
            Self::Database => "Database",
            Self::Cache => "Cache",
            Self::CpuMemory => "CPU and memory",
            Self::Overload => "Overload and neighbours",
            Self::Observability => "Observability itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Area;

    #[test]
    fn an_area_is_written_and_read_by_its_id() {
        for area in Area::ALL {
            assert_eq!(serde_json::to_value(area).unwrap(), area.id());
            assert_eq!(serde_json::from_value::<Area>(area.id().into()).unwrap(), area);
        }
        assert!(Area::ALL.is_sorted(), "teaching order");
    }
}
