//! The table `housewright.migrations` on each host, which says what was run there, or for it elsewhere (pure).
//!
//! Rows of one migration replace each other, the latest wins; so every statement here may be sent again. That a migration
//! begins is written on every host of its scope before its first statement: whoever loses its disks is remembered by the
//! others.

use super::record::{MigrationRecord, MigrationRecords, Outcome, Progress};
use super::{Migration, MigrationId};
use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_text};
use crate::fleet::{HostName, RoleName};
use crate::schema::{OWN_DATABASE, ObjectName};

/// The table in Housewright's own database.
pub const OWN_TABLE: &str = "migrations";

/// The columns that [`ask`] answers.
pub const RECORD_ROWS: [&str; 13] = [
    "role",
    "number",
    "name",
    "scope",
    "checksum",
    "host",
    "statements",
    "done",
    "state",
    "attempt",
    "query",
    "at",
    "runs",
];

/// The columns that [`ask_ends`] answers.
pub const END_ROWS: [&str; 3] = ["query_id", "ended", "complaint"];

/// More of a server's complaint is no help in a plan.
const LONGEST_COMPLAINT: usize = 300;

/// The name of the table.
#[must_use]
pub fn own_table() -> ObjectName {
    ObjectName::relation(Some(OWN_DATABASE), OWN_TABLE)
}

/// The statement that makes the table; its database is there.
#[must_use]
pub fn make() -> Statement {
    Statement::new(
        "CREATE TABLE IF NOT EXISTS housewright.migrations (\
         role LowCardinality(String) COMMENT 'in whose directory it lies', number UInt32, name String, \
         scope LowCardinality(String) COMMENT 'fleet, shard or host', \
         checksum String COMMENT 'of scope and statements, without comments', \
         host String COMMENT 'that runs it', statements UInt32, done UInt32 COMMENT 'statements, as far as this host knows', \
         state LowCardinality(String) COMMENT 'begun or done', attempt UInt32, \
         query String COMMENT 'query_id of the statement that was begun last; empty where none was, here', \
         at DateTime64(6) DEFAULT now64(6)) \
         ENGINE = ReplacingMergeTree(at) ORDER BY (role, number) COMMENT 'What was run on this host, or for it'",
    )
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// The host that runs it.
    pub host: &'a str,
    /// Which attempt.
    pub attempt: u32,
    /// How many statements are done.
    pub done: u32,
    /// What happens next.
    pub next: Next,
}

/// What happens behind a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The host that runs it says so before it sends the next statement.
    Announced,
    /// The next statement is sent.
    Sent,
    /// Nothing: all of it is done.
    Nothing,
}

/// Writes how far a migration has come.
///
/// A clock that went back must not make an older row the latest.
#[must_use]
pub fn write(migration: &Migration, mark: &Mark<'_>) -> Statement {
    let Mark { host, attempt, done, next } = *mark;
    let MigrationId { role, number } = &migration.id;
    let (progress, query) = match next {
        Next::Announced => (Progress::Begun, String::new()),
        Next::Sent => (Progress::Begun, migration.query_id(done + 1, attempt)),
        Next::Nothing => (Progress::Done, String::new()),
    };
    let [role, name, scope, checksum, host, state, query] =
        [role.as_str(), &migration.name, migration.scope.word(), &migration.checksum, host, progress.word(), &query]
            .map(quote_text);
    Statement::new(format!(
        "INSERT INTO housewright.migrations \
         (role, number, name, scope, checksum, host, statements, done, state, attempt, query, at) \
         SELECT {role}, {number}, {name}, {scope}, {checksum}, {host}, {}, {done}, {state}, {attempt}, {query}, \
         greatest(now64(6), (SELECT max(at) + toIntervalMicrosecond(1) FROM housewright.migrations \
         WHERE role = {role} AND number = {number}))",
        migration.count()
    ))
}

/// Asks whether a host has no record of a migration.
#[must_use]
pub fn ask_none(id: &MigrationId) -> Statement {
    Statement::new(format!("SELECT count() = 0 FROM housewright.migrations WHERE {}", which(id)))
}

/// Asks whether a host's record of a migration is still this one.
#[must_use]
pub fn ask_stands(id: &MigrationId, record: &MigrationRecord) -> Statement {
    let MigrationRecord { progress, done, attempt, .. } = record;
    Statement::new(format!(
        "SELECT count() = 1 FROM housewright.migrations FINAL WHERE {} AND state = {} AND done = {done} AND attempt = {attempt}",
        which(id),
        quote_text(progress.word())
    ))
}

/// Asks whether a host knows that an attempt has begun.
#[must_use]
pub fn ask_begun(id: &MigrationId, attempt: u32) -> Statement {
    Statement::new(format!(
        "SELECT count() = 1 FROM housewright.migrations FINAL WHERE {} AND state = 'begun' AND attempt = {attempt}",
        which(id)
    ))
}

/// Asks whether a migration is done, as far as a host knows.
#[must_use]
pub fn ask_done(id: &MigrationId) -> Statement {
    Statement::new(format!(
        "SELECT count() = 1 FROM housewright.migrations FINAL WHERE {} AND state = 'done'",
        which(id)
    ))
}

fn which(id: &MigrationId) -> String {
    format!("role = {} AND number = {}", quote_text(id.role.as_str()), id.number)
}

/// Asks for all records, and whether what was begun last still runs.
#[must_use]
pub fn ask() -> Statement {
    Statement::new(
        "SELECT m.role AS role, m.number AS number, m.name AS name, m.scope AS scope, m.checksum AS checksum, \
         m.host AS host, m.statements AS statements, m.done AS done, m.state AS state, m.attempt AS attempt, \
         m.query AS query, toString(m.at, 'UTC') AS at, \
         m.query != '' AND m.query IN (SELECT query_id FROM system.processes) AS runs \
         FROM (SELECT * FROM housewright.migrations FINAL) AS m ORDER BY role, number",
    )
}

/// Asks whether a query runs now.
#[must_use]
pub fn ask_runs(query: &str) -> Statement {
    Statement::new(format!("SELECT count() > 0 AS runs FROM system.processes WHERE query_id = {}", quote_text(query)))
}

/// Asks how queries ended, of the server's log, which it may not have; nothing of one that is not in it, or did not end
/// ([query_log](https://clickhouse.com/docs/operations/system-tables/query_log)).
///
/// A second one that was refused because the first still ran (216) is in there under the same name, and says nothing of
/// the first (25.8).
#[must_use]
pub fn ask_ends<'a>(queries: impl IntoIterator<Item = &'a str>) -> Statement {
    let queries: Vec<String> = queries.into_iter().map(quote_text).collect();
    Statement::new(format!(
        "SELECT query_id, last.1 AS ended, last.2 AS complaint FROM (\
         SELECT query_id, argMax((toString(type), exception), (event_time_microseconds, type)) AS last \
         FROM system.query_log WHERE event_date >= today() - 30 AND exception_code != 216 AND query_id IN ({}) GROUP BY query_id) ORDER BY query_id",
        queries.join(", ")
    ))
}

/// Reads the records; how they ended is not known yet.
///
/// # Errors
/// Refuses an answer of another shape.
pub fn read(rows: &Rows) -> Result<MigrationRecords, ClickHouseError> {
    let garbled = || ClickHouseError::Garbled("no record of a migration in the answer about them".to_owned());
    let text = |row: usize, column: &str| rows.text(row, column).ok_or_else(garbled);
    let number = |row: usize, column: &str| {
        rows.number(row, column).and_then(|number| u32::try_from(number).ok()).ok_or_else(garbled)
    };
    let mut records = MigrationRecords::new();
    for row in 0..rows.len() {
        // A role that cannot be one was not written by us.
        let Ok(role) = RoleName::new(text(row, "role")?) else { continue };
        let progress = match text(row, "state")?.as_str() {
            "done" => Progress::Done,
            "begun" => Progress::Begun,
            _ => return Err(garbled()),
        };
        let record = MigrationRecord {
            name: text(row, "name")?,
            scope: text(row, "scope")?,
            checksum: text(row, "checksum")?,
            host: text(row, "host")?,
            statements: number(row, "statements")?,
            done: number(row, "done")?,
            progress,
            attempt: number(row, "attempt")?,
            query: text(row, "query")?,
            at: text(row, "at")?,
            outcome: if number(row, "runs")? > 0 { Outcome::Running } else { Outcome::Unknown },
        };
        records.insert(MigrationId { role, number: number(row, "number")? }, record);
    }
    Ok(records)
}

/// The queries of which a host's own records do not tell how they ended.
#[must_use]
pub fn open_queries<'a>(records: &'a MigrationRecords, host: &HostName) -> Vec<&'a str> {
    let is_open = |record: &&MigrationRecord| {
        record.progress == Progress::Begun
            && !record.query.is_empty()
            && record.outcome == Outcome::Unknown
            && record.host == host.as_str()
    };
    records.values().filter(is_open).map(|record| record.query.as_str()).collect()
}

/// Adds how they ended.
pub fn add_ends(records: &mut MigrationRecords, rows: &Rows) {
    for row in 0..rows.len() {
        let Some((query, outcome)) = rows.text(row, "query_id").zip(end(rows, row)) else { continue };
        let open = records.values_mut().filter(|record| record.outcome == Outcome::Unknown && record.query == query);
        open.for_each(|record| record.outcome = outcome.clone());
    }
}

/// How the query of a row ended.
#[must_use]
pub fn end(rows: &Rows, row: usize) -> Option<Outcome> {
    let complaint = || {
        let text = rows.text(row, "complaint").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        line.chars().take(LONGEST_COMPLAINT).collect::<String>()
    };
    match rows.text(row, "ended")?.as_str() {
        "QueryFinish" => Some(Outcome::Finished),
        "ExceptionBeforeStart" => Some(Outcome::Refused(complaint())),
        "ExceptionWhileProcessing" => Some(Outcome::Failed(complaint())),
        _ => None,
    }
}
