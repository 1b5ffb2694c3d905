//! The table `housewright.backups` on each host: what its script began, and what the server says became of it (pure).
//!
//! The server forgets its own list (`system.backups`) when it ends, so this table is the one to ask. The latest row of a backup
//! wins, so every statement may be sent again. A row that is `begun` and that the server knows nothing of is a backup that died.

use crate::clickhouse::{ClickHouseError, Rows, Statement};
use crate::fleet::RoleName;
use crate::schema::ObjectName;

use super::Place;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Everything.
    Full,
    /// What is new since its base.
    Incremental,
}

/// What has become of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupState {
    /// The server works on it.
    Running,
    /// It was begun, and the server knows nothing of it any more: what it had written by then is left at its place.
    Lost,
    /// It is whole.
    Done,
    /// The server gave it up.
    Failed,
    /// It was removed with its chain.
    Deleted,
}

/// One backup of one table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackupRecord {
    /// Its path below its place; the id under which the server knows it.
    pub name: String,
    /// The table.
    pub table: ObjectName,
    /// What it holds.
    pub kind: Kind,
    /// The time of the full one that it goes back to.
    pub chain: String,
    /// Which one of its chain, from 1.
    pub number: u64,
    /// The one below it; empty for a full one.
    pub base: String,
    /// What holds it.
    #[serde(serialize_with = "as_word")]
    pub place: Place,
    /// What has become of it.
    pub state: BackupState,
    /// Rows of the table when it was begun.
    pub rows_before: u64,
    /// Rows of the table when its end was noted.
    pub rows_after: u64,
    /// Bytes that it has written.
    pub bytes: u64,
    /// Why it is not whole.
    pub complaint: String,
    /// When it was begun, in UTC, for people.
    pub began: String,
    /// How long ago that was, in seconds, by the host's own clock.
    pub age: u64,
}

fn as_word<S: serde::Serializer>(place: &Place, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&place.word())
}

/// The columns that [`ask`] answers.
pub const RECORD_ROWS: [&str; 15] = [
    "database",
    "table",
    "name",
    "kind",
    "chain",
    "number",
    "base",
    "place",
    "state",
    "rows_before",
    "rows_after",
    "bytes",
    "complaint",
    "began",
    "age",
];

/// The statements that make the table, as the hosts' script sends them too.
#[must_use]
pub fn make() -> [Statement; 2] {
    [
        Statement::new("CREATE DATABASE IF NOT EXISTS housewright"),
        Statement::new(
            "CREATE TABLE IF NOT EXISTS housewright.backups (\
             database String, table String, name String COMMENT 'path below its place, and id', \
             kind LowCardinality(String) COMMENT 'full or incremental', \
             chain String COMMENT 'time of the full one', number UInt32, base String, place String, \
             state LowCardinality(String) COMMENT 'begun, done, failed, lost or deleted', \
             rows_before UInt64, rows_after UInt64, bytes UInt64 COMMENT 'written', complaint String, \
             began DateTime('UTC') DEFAULT now(), at DateTime64(6) DEFAULT now64(6)) \
             ENGINE = ReplacingMergeTree(at) ORDER BY (database, table, name) COMMENT 'Backups that this host took'",
        ),
    ]
}

/// Asks for all backups that are on record, each beside what the server knows of it now.
#[must_use]
pub fn ask() -> Statement {
    Statement::new(
        "SELECT r.database AS database, r.table AS table, r.name AS name, r.kind AS kind, r.chain AS chain, \
         r.number AS number, r.base AS base, r.place AS place, \
         multiIf(r.state != 'begun', r.state, b.status = 'CREATING_BACKUP', 'running', b.status = 'BACKUP_CREATED', 'done', \
         b.status = '', 'lost', 'failed') AS state, r.rows_before AS rows_before, r.rows_after AS rows_after, \
         r.bytes AS bytes, r.complaint AS complaint, toString(r.began) AS began, \
         toUInt64(greatest(0, dateDiff('second', r.began, now()))) AS age \
         FROM (SELECT * FROM housewright.backups FINAL) AS r \
         LEFT JOIN (SELECT id, toString(status) AS status FROM system.backups) AS b ON b.id = r.name \
         ORDER BY r.database, r.table, r.chain, r.number, r.name",
    )
}

/// Reads the rows; one that nobody of us can have written is left out.
///
/// # Errors
/// Refuses an answer of another shape.
pub fn read(rows: &Rows) -> Result<Vec<BackupRecord>, ClickHouseError> {
    let garbled = || ClickHouseError::Garbled("no record of a backup in the answer about them".to_owned());
    let text = |row: usize, column: &str| rows.text(row, column).ok_or_else(garbled);
    let number = |row: usize, column: &str| rows.number(row, column).ok_or_else(garbled);
    let mut records = Vec::new();
    for row in 0..rows.len() {
        let kind = match text(row, "kind")?.as_str() {
            "full" => Kind::Full,
            "incremental" => Kind::Incremental,
            _ => continue,
        };
        let state = match text(row, "state")?.as_str() {
            "running" => BackupState::Running,
            "lost" => BackupState::Lost,
            "done" => BackupState::Done,
            "failed" => BackupState::Failed,
            "deleted" => BackupState::Deleted,
            _ => continue,
        };
        let Some(place) = Place::read(&text(row, "place")?) else { continue };
        records.push(BackupRecord {
            name: text(row, "name")?,
            table: ObjectName::relation(Some(&text(row, "database")?), &text(row, "table")?),
            kind,
            chain: text(row, "chain")?,
            number: number(row, "number")?,
            base: text(row, "base")?,
            place,
            state,
            rows_before: number(row, "rows_before")?,
            rows_after: number(row, "rows_after")?,
            bytes: number(row, "bytes")?,
            complaint: text(row, "complaint")?,
            began: text(row, "began")?,
            age: number(row, "age")?,
        });
    }
    Ok(records)
}

/// The role, shard and host that a path of ours names; nothing for another path.
#[must_use]
pub(super) fn whose(name: &str) -> Option<(RoleName, u32, &str)> {
    let parts: Vec<&str> = name.rsplitn(7, '/').collect();
    let [_file, _chain, _table, host, shard, role, ..] = parts.as_slice() else { return None };
    Some((RoleName::new(*role).ok()?, shard.strip_prefix("shard-")?.parse().ok()?, host))
}
