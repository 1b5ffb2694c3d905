//! One object of a role's schema (pure).
//!
//! Its statement is the text that the operator wrote, with `IF NOT EXISTS` put in where it was missing, and nothing else.

use std::collections::BTreeSet;
use std::fmt;

use crate::clickhouse::{Engine, Statement, Token, TokenKind, lex, plain_name, unquote};
use crate::fleet::RoleName;
use crate::problem::Span;

/// The database that a statement without one means: the one that Housewright's connections use.
pub const DEFAULT_DATABASE: &str = "default";

/// An object's name on one host; tables, views and dictionaries share their names, the others have their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectName {
    /// A database.
    Database(String),
    /// A table, view or dictionary.
    Relation {
        /// Its database.
        database: String,
        /// Its own name.
        name: String,
    },
    /// A function.
    Function(String),
    /// A named collection.
    Collection(String),
}

impl ObjectName {
    /// A table, view or dictionary; in the default database where none is given.
    #[must_use]
    pub fn relation(database: Option<&str>, name: &str) -> Self {
        let database = database.filter(|database| !database.is_empty()).unwrap_or(DEFAULT_DATABASE).to_owned();
        Self::Relation { database, name: name.to_owned() }
    }

    /// Whether it is one of the server's own tables, which every host has.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(self, Self::Relation { database, .. }
            if matches!(database.as_str(), "system" | "information_schema" | "INFORMATION_SCHEMA"))
    }
}

/// `database.name` as SQL has it; the default database is left out.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation { database, name } if database == DEFAULT_DATABASE => f.pad(&plain_name(name)),
            Self::Relation { database, name } => f.pad(&format!("{}.{}", plain_name(database), plain_name(name))),
            Self::Database(name) | Self::Function(name) | Self::Collection(name) => f.pad(&plain_name(name)),
        }
    }
}

/// As it is shown; what is no table, view or dictionary behind a word that says what it is.
impl serde::Serialize for ObjectName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Relation { .. } => serializer.collect_str(self),
            Self::Database(_) => serializer.collect_str(&format_args!("database {self}")),
            Self::Function(_) => serializer.collect_str(&format_args!("function {self}")),
            Self::Collection(_) => serializer.collect_str(&format_args!("collection {self}")),
        }
    }
}

/// As it was written by `Serialize`.
impl<'de> serde::Deserialize<'de> for ObjectName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = String::deserialize(deserializer)?;
        let tokens = lex(&shown);
        let name = |token: &Token| unquote(token.text(&shown));
        match tokens.as_slice() {
            [one] => Ok(Self::relation(None, &name(one))),
            [database, dot, one] if dot.text(&shown) == "." => Ok(Self::relation(Some(&name(database)), &name(one))),
            [kind, space, one] if space.kind == TokenKind::Space => match kind.text(&shown) {
                "database" => Ok(Self::Database(name(one))),
                "function" => Ok(Self::Function(name(one))),
                "collection" => Ok(Self::Collection(name(one))),
                _ => Err(serde::de::Error::custom(format!("`{shown}` names no object"))),
            },
            _ => Err(serde::de::Error::custom(format!("`{shown}` names no object"))),
        }
    }
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A database.
    Database,
    /// A table.
    Table,
    /// A materialized view.
    MaterializedView,
    /// A view.
    View,
    /// A dictionary.
    Dictionary,
    /// A function.
    Function,
    /// A named collection.
    NamedCollection,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Database => "database",
            Self::Table => "table",
            Self::MaterializedView => "materialized view",
            Self::View => "view",
            Self::Dictionary => "dictionary",
            Self::Function => "function",
            Self::NamedCollection => "named collection",
        })
    }
}

/// One object as a role wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: ObjectName,
    /// What it is.
    pub kind: ObjectKind,
    /// Its engine; of a materialized view the one of its own storage.
    pub engine: Option<Engine>,
    /// The names of its columns in order, where the statement lists them all.
    pub columns: Option<Vec<String>>,
    /// Where a materialized view writes to.
    pub target: Option<ObjectName>,
    /// What a view or dictionary reads from on the same host.
    pub sources: Vec<ObjectName>,
    /// What must be there before it on the same host, the server's own things left out.
    pub depends_on: BTreeSet<ObjectName>,
    /// The statement that makes it, safe to run again.
    pub statement: Statement,
    /// The role in whose directory it is written.
    pub role: RoleName,
    /// Where it is written.
    pub span: Span,
}

impl Object {
    /// The name of its engine; empty where it has none.
    #[must_use]
    pub fn engine_name(&self) -> &str {
        self.engine.as_ref().map(|engine| engine.name.as_str()).unwrap_or_default()
    }
}
