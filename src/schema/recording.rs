//! The table `housewright.objects` on each host, which says what Housewright made there and how (pure).
//!
//! What is made is noted before it is made, with no digest; right after, the server itself adds the digest of what it made
//! of it. So whatever a run was killed in, the next one knows what of it is its own. It holds no secret: a statement
//! with one is refused by the checks.

use serde_json::Value;

use super::object::{Object, ObjectName};
use super::observe::LIVE;
use super::record::{ObjectRecord, ObjectRecords};
use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_text};
use crate::fleet::RoleName;

/// The database that is Housewright's own on every host that has a schema.
pub const OWN_DATABASE: &str = "housewright";
/// The table of records in it.
pub const OWN_TABLE: &str = "objects";

/// The columns that [`ask`] answers.
pub const RECORD_ROWS: [&str; 10] =
    ["kind", "database", "name", "role", "statement", "state", "rows", "bytes", "mutations", "complaint"];

/// The name of the table of records.
#[must_use]
pub fn own_table() -> ObjectName {
    ObjectName::relation(Some(OWN_DATABASE), OWN_TABLE)
}

/// Whether an object is Housewright's own database or table.
#[must_use]
pub fn is_own(name: &ObjectName) -> bool {
    match name {
        ObjectName::Database(database) | ObjectName::Relation { database, .. } => database == OWN_DATABASE,
        ObjectName::Function(_) | ObjectName::Collection(_) => false,
    }
}

/// The statements that make the table of records; the rows of a host are a few kilobytes.
///
/// Rows of one object replace each other, the latest wins; so every statement here may be sent again.
#[must_use]
pub fn make() -> [Statement; 2] {
    [
        Statement::new("CREATE DATABASE IF NOT EXISTS housewright"),
        Statement::new(
            "CREATE TABLE IF NOT EXISTS housewright.objects (\
             kind LowCardinality(String) COMMENT 'database, relation, function or collection', \
             database String, name String, \
             role String COMMENT 'whose schema has it', \
             statement String COMMENT 'as it was applied', \
             live String COMMENT 'digest of what the server made of it; empty until that is done', \
             at DateTime64(6) DEFAULT now64(6), \
             gone UInt8 DEFAULT 0 COMMENT '1: dropped by Housewright') \
             ENGINE = ReplacingMergeTree(at) ORDER BY (kind, database, name) \
             COMMENT 'What Housewright made on this host'",
        ),
    ]
}

/// Notes what is about to be made; what is there by now was made by somebody else, or by an earlier run from another statement.
#[must_use]
pub fn begin<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Statement {
    Statement::new(format!(
        "INSERT INTO housewright.objects (kind, database, name, role, statement, live) \
         SELECT o.1, o.2, o.3, o.4, o.5, o.6 FROM (SELECT arrayJoin([{}]) AS o) \
         WHERE (o.1, o.2, o.3) NOT IN (SELECT kind, database, name FROM ({LIVE}))",
        rows(objects)
    ))
}

/// Notes what was altered or adopted, or is there in its new form.
#[must_use]
pub fn renew<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Statement {
    Statement::new(format!(
        "INSERT INTO housewright.objects (kind, database, name, role, statement, live) VALUES {}",
        rows(objects)
    ))
}

fn rows<'a>(objects: impl IntoIterator<Item = &'a Object>) -> String {
    let row = |object: &Object| {
        let [kind, database, name] = key(&object.name);
        let texts = [kind, database, name, object.role.as_str(), object.statement.text(), ""].map(quote_text);
        format!("({})", texts.join(", "))
    };
    objects.into_iter().map(row).collect::<Vec<_>>().join(", ")
}

/// Adds the digests of what the server made of what was noted; a digest that is there already stays.
///
/// A clock that went back must not make an older row the latest.
#[must_use]
pub fn finish<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> Statement {
    Statement::new(format!(
        "INSERT INTO housewright.objects (kind, database, name, role, statement, live, at, gone) \
         SELECT r.kind, r.database, r.name, r.role, r.statement, l.live, \
         greatest(now64(6), r.at + toIntervalMicrosecond(1)), 0 \
         FROM (SELECT * FROM housewright.objects FINAL) AS r INNER JOIN ({}) AS l USING (kind, database, name) \
         WHERE r.live = '' AND (r.kind, r.database, r.name) IN ({})",
        digests(),
        keys(names)
    ))
}

/// Notes what was dropped.
#[must_use]
pub fn forget<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> Statement {
    Statement::new(format!(
        "INSERT INTO housewright.objects (kind, database, name, role, statement, live, at, gone) \
         SELECT kind, database, name, role, statement, live, greatest(now64(6), at + toIntervalMicrosecond(1)), 1 \
         FROM housewright.objects FINAL WHERE (kind, database, name) IN ({})",
        keys(names)
    ))
}

/// Asks for all records, each beside what is there now.
#[must_use]
pub fn ask() -> Statement {
    Statement::new(format!(
        "SELECT r.kind AS kind, r.database AS database, r.name AS name, r.role AS role, r.statement AS statement, \
         multiIf(l.live = '', 'gone', r.live = '', 'begun', r.live = l.live, 'as-applied', 'moved') AS state, \
         t.rows AS rows, t.bytes AS bytes, m.left AS mutations, m.complaint AS complaint \
         FROM (SELECT * FROM housewright.objects FINAL WHERE NOT gone) AS r \
         LEFT JOIN ({}) AS l USING (kind, database, name) \
         LEFT JOIN (SELECT 'relation' AS kind, database, name, total_rows AS rows, total_bytes AS bytes \
         FROM system.tables WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')) AS t \
         USING (kind, database, name) \
         LEFT JOIN (SELECT 'relation' AS kind, database, table AS name, count() AS left, \
         anyIf(latest_fail_reason, notEmpty(latest_fail_reason)) AS complaint FROM system.mutations WHERE NOT is_done \
         GROUP BY database, table) AS m USING (kind, database, name) \
         ORDER BY kind, database, name",
        digests()
    ))
}

/// The server's own digest of every object that is there.
fn digests() -> String {
    format!("SELECT kind, database, name, hex(sipHash128(engine, create_query)) AS live FROM ({LIVE})")
}

/// Reads the rows.
///
/// # Errors
/// Refuses an answer of another shape.
pub fn read_records(rows: &Rows) -> Result<ObjectRecords, ClickHouseError> {
    let garbled = || ClickHouseError::Garbled("no record of an object in the answer about them".to_owned());
    let text = |row: usize, column: &str| rows.text(row, column).ok_or_else(garbled);
    let mut records = ObjectRecords::new();
    for row in 0..rows.len() {
        let name = text(row, "name")?;
        let name = match text(row, "kind")?.as_str() {
            "database" => ObjectName::Database(name),
            "relation" => ObjectName::Relation { database: text(row, "database")?, name },
            "function" => ObjectName::Function(name),
            "collection" => ObjectName::Collection(name),
            _ => continue,
        };
        let state = serde_json::from_value(Value::String(text(row, "state")?)).map_err(|_| garbled())?;
        // A role that cannot be one was not written by us.
        let Ok(role) = RoleName::new(text(row, "role")?) else { continue };
        let record = ObjectRecord {
            role,
            statement: text(row, "statement")?,
            state,
            rows: rows.number(row, "rows"),
            bytes: rows.number(row, "bytes"),
            mutations: rows.number(row, "mutations").unwrap_or_default(),
            complaint: rows.text(row, "complaint").filter(|text| !text.is_empty()),
        };
        records.insert(name, record);
    }
    Ok(records)
}

fn keys<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> String {
    let key = |name: &ObjectName| format!("({})", key(name).map(quote_text).join(", "));
    names.into_iter().map(key).collect::<Vec<_>>().join(", ")
}

/// What names an object in the table: kind, database, name.
#[must_use]
pub fn key(name: &ObjectName) -> [&str; 3] {
    match name {
        ObjectName::Database(name) => ["database", "", name],
        ObjectName::Relation { database, name } => ["relation", database, name],
        ObjectName::Function(name) => ["function", "", name],
        ObjectName::Collection(name) => ["collection", "", name],
    }
}
