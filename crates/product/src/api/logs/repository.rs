//! Queries and statements. A group is one bound value: as rows of bound values it would exceed
//! SQLite's limit of 32,766, and each size of group would be another statement to prepare.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::lines::Devices;
use crate::{
    api::fitting,
    db::{Db, now},
    entity::log_lines,
};

const INSERT_SQLITE: &str = "\
INSERT INTO log_lines (device_id, log_level, message, log_data, created_at) \
SELECT value ->> '$.d', value ->> '$.l', value ->> '$.m', value ->> '$.x', $2 FROM json_each($1)";

const INSERT_POSTGRES: &str = "\
INSERT INTO log_lines (device_id, log_level, message, log_data, created_at) \
SELECT d, l, m, x, $2 \
FROM json_to_recordset($1::json) AS line (d varchar, l smallint, m text, x text)";

/// WriteLock the sums of a group into rows. The rest of the statement is the same on both.
const COUNTS_SQLITE: &str = "\
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
FROM json_each($1) WHERE true";

const COUNTS_POSTGRES: &str = "\
SELECT c ->> 0, (c ->> 1)::bigint, (c ->> 2)::bigint, (c ->> 3)::bigint, (c ->> 4)::bigint, \
(c ->> 5)::bigint FROM json_array_elements($1::json) AS c";

const ADD_COUNTS: &str = "\
ON CONFLICT (device_id) DO UPDATE SET debug = log_devices.debug + excluded.debug, \
info = log_devices.info + excluded.info, warning = log_devices.warning + excluded.warning, \
error = log_devices.error + excluded.error, critical = log_devices.critical + excluded.critical";

/// One row for each device, not for each line. The sums over all devices are in every row.
const STATS: &str = "\
SELECT device_id, debug + info + warning + error + critical AS lines, COUNT(*) OVER () AS devices, \
CAST(SUM(debug) OVER () AS BIGINT) AS debugs, CAST(SUM(info) OVER () AS BIGINT) AS infos, \
CAST(SUM(warning) OVER () AS BIGINT) AS warnings, CAST(SUM(error) OVER () AS BIGINT) AS errors, \
CAST(SUM(critical) OVER () AS BIGINT) AS criticals \
FROM log_devices ORDER BY lines DESC, device_id LIMIT $1";

/// Writes a group in one transaction: its lines, and what they add to the counters.
pub async fn insert(db: &Db, lines: Vec<u8>, devices: &Devices) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let (insert, counts) = match backend {
        DbBackend::Postgres => (INSERT_POSTGRES, COUNTS_POSTGRES),
        _ => (INSERT_SQLITE, COUNTS_SQLITE),
    };
    let text = |json| String::from_utf8(json).map_err(|e| DbErr::Custom(e.to_string()));
    let lines = [text(lines)?.into(), now().into()];
    let txn = db.begin().await?;
    txn.execute_raw(Statement::from_sql_and_values(backend, insert, lines)).await?;
    let counts = format!(
        "INSERT INTO log_devices (device_id, debug, info, warning, error, critical) {counts} {ADD_COUNTS}"
    );
    let sums = [Value::from(sums(devices))];
    txn.execute_raw(Statement::from_sql_and_values(backend, counts, sums)).await?;
    txn.commit().await
}

/// Sums as JSON: `[["device",0,0,0,0,0],…]`. Names of devices need no escapes.
fn sums(devices: &Devices) -> String {
    let rows = devices.iter().map(|(device, [debug, info, warning, error, critical])| {
        format!("[\"{device}\",{debug},{info},{warning},{error},{critical}]")
    });
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

pub async fn newest(
    db: &Db,
    device_id: &str,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<log_lines::Model>, DbErr> {
    let texts = [log_lines::Column::Message, log_lines::Column::LogData];
    let of_device = (log_lines::Column::DeviceId, device_id.into());
    fitting::newest::<log_lines::Entity>(db, of_device, &texts, before, limit).await
}

/// Lines of a device, with the sums over all devices.
#[derive(FromQueryResult)]
pub struct DeviceRow {
    pub device_id: String,
    pub lines: i64,
    pub devices: i64,
    pub debugs: i64,
    pub infos: i64,
    pub warnings: i64,
    pub errors: i64,
    pub criticals: i64,
}

/// Devices with the most lines. All numbers are of the same moment.
pub async fn devices(db: &Db, limit: u64) -> Result<Vec<DeviceRow>, DbErr> {
    let backend = db.get_database_backend();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = Statement::from_sql_and_values(backend, STATS, [limit.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| DeviceRow::from_query_result(row, "")).collect()
}

/// Durability of a commit, as this connection reports it.
pub async fn durability(db: &Db) -> Result<String, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "SHOW synchronous_commit",
        _ => "PRAGMA synchronous",
    };
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    let row = row.ok_or_else(|| DbErr::Custom(format!("{sql}: no answer")))?;
    match backend {
        DbBackend::Postgres => {
            Ok(format!("synchronous_commit={}", row.try_get_by_index::<String>(0)?))
        }
        _ => Ok(match row.try_get_by_index::<i64>(0)? {
            2 => "synchronous=FULL".to_owned(),
            other => format!("synchronous={other}"),
        }),
    }
}
