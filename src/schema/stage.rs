//! When an object is created, by what it is (pure).

use std::fmt;

use super::engine::Family;
use super::object::{Object, ObjectKind};

/// The stages of creating, in order; dropping goes the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Databases.
    Database,
    /// Functions and named collections: what other statements mention.
    Definition,
    /// Tables that keep rows, and dictionaries.
    Storage,
    /// Tables that pass rows on: Distributed, Buffer, Merge.
    Proxy,
    /// Tables that drain a queue. Without a view they read nothing yet.
    Queue,
    /// Views; a materialized view starts the flow.
    View,
}

impl Stage {
    /// The stage of an object on its own; what it depends on can make it later.
    #[must_use]
    pub fn of(object: &Object) -> Self {
        match object.kind {
            ObjectKind::Database => Self::Database,
            ObjectKind::Function | ObjectKind::NamedCollection => Self::Definition,
            ObjectKind::View | ObjectKind::MaterializedView => Self::View,
            ObjectKind::Dictionary => Self::Storage,
            ObjectKind::Table => match Family::of(object.engine_name()) {
                Family::Storage | Family::Other => Self::Storage,
                Family::Proxy => Self::Proxy,
                Family::Queue => Self::Queue,
            },
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Database => "databases",
            Self::Definition => "functions and named collections",
            Self::Storage => "storage",
            Self::Proxy => "distributed",
            Self::Queue => "queues",
            Self::View => "views",
        })
    }
}
