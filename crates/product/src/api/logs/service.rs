//! Logic of each endpoint of log ingest.

use super::{
    bodies::{DeviceOut, LevelsOut, LinesOut, LogOut, StatsOut, StoredOut},
    lines::Lines,
    queue::LogQueue,
    repository,
};
use crate::{api::fitting, db::Db, error::Error};

/// Most devices that the statistics name: as many as a reader may look through.
const DEVICES_NAMED: u64 = 1_000;

pub async fn store(queue: &LogQueue, lines: Lines) -> Result<StoredOut, Error> {
    let stored = lines.count;
    queue.commit(lines).await?;
    Ok(StoredOut { stored })
}

pub async fn newest(
    db: &Db,
    device_id: &str,
    before: Option<i64>,
    limit: u32,
) -> Result<LinesOut, Error> {
    // One line more than requested shows if there are more.
    let lines = repository::newest(db, device_id, before, u64::from(limit) + 1).await?;
    let has_more = lines.len() > limit as usize;
    let mut logs: Vec<LogOut> = lines.into_iter().take(limit as usize).map(Into::into).collect();
    let has_more = fitting::cut(&mut logs) || has_more;
    let next_before = logs.last().filter(|_| has_more).map(|line| line.id);
    Ok(LinesOut { logs, next_before })
}

pub async fn stats(db: &Db, queue: &LogQueue) -> Result<StatsOut, Error> {
    let rows = repository::devices(db, DEVICES_NAMED).await?;
    let levels = rows.first().map_or_else(LevelsOut::default, |row| LevelsOut {
        debug: row.debugs,
        info: row.infos,
        warning: row.warnings,
        error: row.errors,
        critical: row.criticals,
    });
    Ok(StatsOut {
        lines: levels.debug + levels.info + levels.warning + levels.error + levels.critical,
        devices: rows.first().map_or(0, |row| row.devices),
        levels,
        per_device: rows
            .into_iter()
            .map(|row| DeviceOut { device_id: row.device_id, lines: row.lines })
            .collect(),
        queue_depth: queue.depth(),
        queue_capacity: queue.capacity(),
        lines_per_second: queue.lines_per_second(),
        durability: queue.durability().to_owned(),
    })
}
