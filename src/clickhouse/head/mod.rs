//! The head of a statement: its verb and, for a CREATE, what it makes and from what (pure).
//!
//! Not a grammar of all SQL: what it does not understand it steps over, and it never fails.

mod column;
mod columns;
mod create;
mod definition;
mod engine;
mod phrase;
mod sources;
#[cfg(test)]
mod tests;

use super::cursor::Cursor;
use super::script::StatementText;
use crate::problem::Span;

pub use column::{Column, Part, PartKind, Property};
pub use definition::{Clause, Definition};
pub use engine::{Argument, Engine, Value};
pub use phrase::Phrase;

/// What a statement begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A `CREATE` of something that a schema is made of.
    Create(Box<Create>),
    /// Anything else.
    Other {
        /// The verb in capitals, such as `DROP` or `CREATE USER`.
        verb: String,
        /// Whether it can take something away.
        effect: Effect,
    },
}

/// What a statement that is no CREATE can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It can take data, objects or rights away.
    Destroys,
    /// It does not.
    Keeps,
}

/// What a CREATE says before its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// What it makes.
    pub kind: CreateKind,
    /// Whether it takes an object that is there already.
    pub when_present: WhenPresent,
    /// The database, where it is written; never for databases, functions and named collections.
    pub database: Option<String>,
    /// The name.
    pub name: String,
    /// Where the name begins: `IF NOT EXISTS` belongs before it.
    pub name_at: usize,
    /// `ON CLUSTER` and the cluster's name.
    pub on_cluster: Option<Span>,
    /// The names of the columns, in order; none where the statement does not list them or they cannot be told.
    pub columns: Option<Vec<String>>,
    /// `ENGINE = ...` with its arguments and settings.
    pub engine: Option<Engine>,
    /// Where a materialized view writes to.
    pub target: Option<TableName>,
    /// What a view or dictionary reads from, and what `AS other_table` copies; in order, each once.
    pub sources: Vec<TableName>,
}

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// The database, where it is written.
    pub database: Option<String>,
    /// The table.
    pub name: String,
}

/// What a CREATE makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CreateKind {
    /// `CREATE DATABASE`.
    Database,
    /// `CREATE TABLE`.
    Table,
    /// `CREATE MATERIALIZED VIEW`.
    MaterializedView,
    /// `CREATE VIEW`.
    View,
    /// `CREATE DICTIONARY`.
    Dictionary,
    /// `CREATE FUNCTION`.
    Function,
    /// `CREATE NAMED COLLECTION`.
    NamedCollection,
}

/// What a CREATE does with an object that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenPresent {
    /// It fails.
    Fail,
    /// `IF NOT EXISTS`: it leaves it.
    Leave,
    /// `OR REPLACE`: it replaces it, rows and all.
    Replace,
}

/// Reads the head of a statement.
#[must_use]
pub fn read_head(statement: &StatementText) -> Head {
    create::read(statement).map_or_else(|| other(statement), |create| Head::Create(Box::new(create)))
}

/// Verbs that can take something away; `INSERT` and `SYSTEM` are judged by nothing here and count as harmless.
const DESTRUCTIVE: [&str; 14] = [
    "DROP", "TRUNCATE", "DELETE", "UPDATE", "ALTER", "RENAME", "EXCHANGE", "REPLACE", "DETACH", "MOVE", "KILL",
    "REVOKE", "OPTIMIZE", "UNDROP",
];

fn other(statement: &StatementText) -> Head {
    let cursor = Cursor::new(&statement.span.source.text, &statement.tokens);
    let first = cursor.peek(0).to_ascii_uppercase();
    let verb = match first.as_str() {
        "CREATE" | "ATTACH" | "ALTER" | "DROP" if cursor.peek(1).chars().all(char::is_alphabetic) => {
            format!("{first} {}", cursor.peek(1).to_ascii_uppercase()).trim_end().to_owned()
        }
        _ => first.clone(),
    };
    let effect = if DESTRUCTIVE.contains(&first.as_str()) { Effect::Destroys } else { Effect::Keeps };
    Head::Other { verb, effect }
}
