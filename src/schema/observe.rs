//! What objects a host has: the statement that asks, and what its rows mean (pure).

use super::object::ObjectName;
use crate::clickhouse::{Rows, Statement};

/// An object as a host's server describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ObservedObject {
    /// Its name.
    pub name: ObjectName,
    /// Its engine as `system.tables` has it; empty for functions and collections.
    pub engine: String,
    /// The statement that would make it, in the server's own form; empty for databases and collections of the configuration.
    #[serde(skip)]
    pub create_query: String,
}

/// The columns that [`statement`] answers.
pub const ROWS: [&str; 5] = ["kind", "database", "name", "engine", "create_query"];

/// Every object that is not the server's own.
///
/// Temporary tables, and the hidden tables of materialized views (`.inner...`), belong to no schema.
pub(super) const LIVE: &str = "SELECT 'database' AS kind, '' AS database, name, engine, '' AS create_query \
     FROM system.databases WHERE name NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') \
     UNION ALL \
     SELECT 'relation', database, name, engine, create_table_query FROM system.tables \
     WHERE NOT is_temporary AND database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') \
     AND NOT startsWith(name, '.inner.') AND NOT startsWith(name, '.inner_id.') AND NOT startsWith(name, '.tmp.') \
     UNION ALL \
     SELECT 'function', '', name, '', create_query FROM system.functions WHERE origin = 'SQLUserDefined' \
     UNION ALL \
     SELECT 'collection', '', name, '', '' FROM system.named_collections";

/// Asks for every object that is not the server's own.
///
/// The server shows only what the user may see, so the user needs SHOW on everything, and its secrets come as `[HIDDEN]`.
#[must_use]
pub fn statement() -> Statement {
    Statement::new(format!(
        "SELECT kind, database, name, engine, create_query FROM ({LIVE}) ORDER BY kind, database, name"
    ))
}

/// Reads the rows; rows that it does not know are left out.
#[must_use]
pub fn read_objects(rows: &Rows) -> Vec<ObservedObject> {
    let text = |row, column| rows.text(row, column).unwrap_or_default();
    let read = |row| {
        let name = text(row, "name");
        let name = match text(row, "kind").as_str() {
            "database" => ObjectName::Database(name),
            "relation" => ObjectName::Relation { database: text(row, "database"), name },
            "function" => ObjectName::Function(name),
            "collection" => ObjectName::Collection(name),
            _ => return None,
        };
        Some(ObservedObject { name, engine: text(row, "engine"), create_query: text(row, "create_query") })
    };
    (0..rows.len()).filter_map(read).collect()
}
