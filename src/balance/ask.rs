//! What a server is asked about its disks, how its answers are read, and how a move is told (pure).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Disk, Layout, Move, Part, PartName, Volume};
use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_name, quote_text};

/// Disks. A local one's `total_space` and `free_space` are without what `keep_free_space_bytes` keeps
/// ([system.disks](https://clickhouse.com/docs/operations/system-tables/disks); measured on 25.8).
pub const DISKS: &str = "SELECT name, total_space AS total, free_space AS free, unreserved_space AS unreserved, \
    multiIf(is_broken, 'broken', is_read_only OR is_write_once, 'read-only', is_remote OR type != 'Local', 'not a local disk', \
    total_space = 0, 'without a size', '') AS unfit \
    FROM system.disks ORDER BY name";

/// Volumes of the policies that tables have.
pub const VOLUMES: &str = "SELECT policy_name AS policy, volume_name AS volume, disks FROM system.storage_policies \
    WHERE policy_name IN (SELECT storage_policy FROM system.tables WHERE engine LIKE '%MergeTree') \
    ORDER BY policy_name, volume_priority";

/// Active parts where there is a choice of disks. A rule `TTL ... TO DISK` would take its parts back, again and again.
pub const PARTS: &str = "SELECT parts.database AS database, parts.table AS table, parts.name AS part, parts.disk_name AS disk, \
    tables.storage_policy AS policy, parts.bytes_on_disk AS bytes, multiIf(\
    (parts.database, parts.table, parts.name) IN (SELECT database, table, arrayJoin(source_part_names) FROM system.merges), 'in a merge', \
    (parts.database, parts.table, parts.name) IN (SELECT database, table, arrayJoin(parts_to_do_names) FROM system.mutations WHERE NOT is_done), 'in a mutation', \
    (parts.database, parts.table, parts.name) IN (SELECT database, table, part_name FROM system.moves), 'in a move', \
    tables.create_table_query LIKE '% TO DISK %', 'its table says TO DISK', '') AS busy \
    FROM system.parts AS parts INNER JOIN system.tables AS tables ON parts.database = tables.database AND parts.table = tables.name \
    WHERE parts.active AND tables.storage_policy IN (SELECT policy_name FROM system.storage_policies WHERE length(disks) > 1) \
    ORDER BY database, table, part";

/// Reads the answers to [`DISKS`], [`VOLUMES`] and [`PARTS`].
///
/// # Errors
/// A column is missing, or is not what it should be.
pub fn read(disks: &Rows, volumes: &Rows, parts: &Rows) -> Result<Layout, ClickHouseError> {
    let mut layout = Layout::default();
    for row in 0..disks.len() {
        let disk = Disk {
            total: number(disks, row, "total")?,
            free: number(disks, row, "free")?,
            unreserved: number(disks, row, "unreserved")?,
            unfit: disks.text(row, "unfit").filter(|why| !why.is_empty()),
        };
        layout.disks.insert(text(disks, row, "name")?, disk);
    }
    for row in 0..volumes.len() {
        let names = volumes.text(row, "disks").and_then(|names| serde_json::from_str::<Vec<String>>(&names).ok());
        layout.volumes.push(Volume {
            policy: text(volumes, row, "policy")?,
            name: text(volumes, row, "volume")?,
            disks: names.ok_or_else(|| garbled("disks"))?,
        });
    }
    let at: BTreeMap<&str, usize> = parts.columns.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let column = |name| at.get(name).copied().ok_or_else(|| garbled(name));
    let columns = ["database", "table", "part", "disk", "policy", "busy", "bytes"].map(column);
    let [database, table, part, disk, policy, busy, bytes] = columns;
    let (database, table, part) = (database?, table?, part?);
    let (disk, policy, busy, bytes) = (disk?, policy?, busy?, bytes?);
    for row in &parts.rows {
        let text = |at: usize| row.get(at).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| garbled("parts"));
        let name = PartName { database: text(database)?, table: text(table)?, part: text(part)? };
        let bytes = row.get(bytes).and_then(Value::as_u64).ok_or_else(|| garbled("bytes"))?;
        let busy = Some(text(busy)?).filter(|why| !why.is_empty());
        layout.parts.push(Part { name, disk: text(disk)?, policy: text(policy)?, bytes, busy });
    }
    Ok(layout)
}

/// The statement that moves a part; the server itself keeps to the rate
/// ([max_local_write_bandwidth](https://clickhouse.com/docs/operations/settings/settings#max_local_write_bandwidth);
/// measured for moves on 25.8).
#[must_use]
pub fn statement(step: &Move, bytes_per_second: u64) -> Statement {
    let PartName { database, table, part } = &step.part;
    Statement::new(format!(
        "ALTER TABLE {}.{} MOVE PART {} TO DISK {} SETTINGS max_local_write_bandwidth = {bytes_per_second}",
        quote_name(database),
        quote_name(table),
        quote_text(part),
        quote_text(&step.to)
    ))
}

fn text(rows: &Rows, row: usize, column: &str) -> Result<String, ClickHouseError> {
    rows.text(row, column).ok_or_else(|| garbled(column))
}

fn number(rows: &Rows, row: usize, column: &str) -> Result<u64, ClickHouseError> {
    rows.number(row, column).ok_or_else(|| garbled(column))
}

fn garbled(column: &str) -> ClickHouseError {
    ClickHouseError::Garbled(format!("the column `{column}` of what was asked about disks"))
}
