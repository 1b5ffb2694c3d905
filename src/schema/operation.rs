//! What one object needs to become as its role wants it (pure).

use std::fmt;

use super::object::Object;
use crate::clickhouse::Statement;

/// One object that is not as the role wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectChange {
    /// It is not there.
    Create(Object),
    /// It is there and differs; statements mend it in place.
    Alter {
        /// As the role wants it.
        object: Object,
        /// The statements, in order.
        operations: Vec<Operation>,
        /// Each thing that differs.
        why: Vec<Difference>,
    },
    /// It is there, holds no rows and cannot be altered: it is dropped and made again, together with what reads it.
    Recreate {
        /// As the role wants it.
        object: Object,
        /// Each thing that differs.
        why: Vec<Difference>,
    },
    /// It is there and differs, and nothing changes it by itself.
    Held {
        /// As the role wants it.
        object: Object,
        /// Each thing that differs.
        why: Vec<Difference>,
        /// What the operator can do.
        hint: String,
    },
}

/// One statement that brings an object nearer to what the role wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The statement.
    pub statement: Statement,
    /// What it costs.
    pub class: Class,
    /// Whether one replica of a shard carries it to the others.
    pub replicated: bool,
    /// What it does, for people: ``add column `a` UInt8``.
    pub what: String,
}

/// What an operation costs, the dearest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It changes metadata only.
    Metadata,
    /// The object is made anew; it has no rows of its own.
    Reattach,
    /// It rewrites rows.
    Rewrites,
    /// It takes rows or columns away.
    Destroys,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Metadata => "metadata only",
            Self::Reattach => "made anew",
            Self::Rewrites => "rewrites data",
            Self::Destroys => "destroys data",
        })
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is, such as `engine` or `columns`.
    pub what: String,
    /// As the role wants it; empty where it wants none.
    pub desired: String,
    /// As it is; empty where there is none.
    pub observed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, desired, observed } = self;
        match (desired.as_str(), observed.as_str()) {
            (desired, "") => write!(f, "{what} is missing: `{desired}`"),
            ("", observed) => write!(f, "{what} should not be there: `{observed}`"),
            (desired, observed) => write!(f, "{what} is `{observed}`, should be `{desired}`"),
        }
    }
}
