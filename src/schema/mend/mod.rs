//! What mends the differences of one object, by what it is and what its engine can do (pure).
//!
//! Each rule was tried on ClickHouse 25.8. What takes rows away, or could stop a table's mutations for good, is held.

mod columns;
mod convert;
mod table;
mod view;

use super::compare::Delta;
use super::object::{Object, ObjectKind};
use super::operation::{Class, Operation};
use crate::clickhouse::{Clause, Statement};

/// How an object becomes as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// By these statements.
    Alter(Vec<Operation>),
    /// By dropping it and making it again; it has no rows of its own.
    Recreate,
    /// By hand, and how.
    Held(String),
}

/// What is known beside the two statements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// Whether what the object reads from is a queue, which keeps its rows while the object is away.
    pub reads_a_queue: bool,
}

/// Finds what mends an object; `engine` is the one that it has now.
pub(super) fn mend(object: &Object, engine: &str, deltas: &[Delta<'_>], around: Around) -> Mend {
    match object.kind {
        ObjectKind::View | ObjectKind::Dictionary | ObjectKind::Function => replace(object),
        ObjectKind::MaterializedView => view::mend(object, deltas, around),
        ObjectKind::Table => table::mend(object, engine, deltas),
        ObjectKind::Database | ObjectKind::NamedCollection => {
            Mend::Held(format!("change the {} by hand: this version only creates it", object.kind))
        }
    }
}

/// `CREATE OR REPLACE`: one statement in place of the object, which has no rows.
fn replace(object: &Object) -> Mend {
    match super::read::replacing(object) {
        Some(statement) => Mend::Alter(vec![Operation {
            statement,
            class: Class::Metadata,
            replicated: false,
            what: format!("replace the {}", object.kind),
        }]),
        None => Mend::Held("replace it by hand".to_owned()),
    }
}

/// Writes the statements of one table.
struct Writer<'a> {
    object: &'a Object,
    /// Whether one replica carries them to the others.
    replicated: bool,
    operations: Vec<Operation>,
}

impl<'a> Writer<'a> {
    fn new(object: &'a Object, replicated: bool) -> Self {
        Self { object, replicated, operations: Vec::new() }
    }

    /// One command of ALTER TABLE.
    fn alter(&mut self, class: Class, command: &str, what: String) {
        self.add(class, command, what, self.replicated);
    }

    /// One that every replica takes for itself.
    fn alter_here(&mut self, command: &str, what: String) {
        self.add(Class::Metadata, command, what, false);
    }

    fn add(&mut self, class: Class, command: &str, what: String, replicated: bool) {
        let statement = Statement::new(format!("ALTER TABLE {} {command}", self.object.name));
        self.operations.push(Operation { statement, class, replicated, what });
    }
}

/// What a clause is called.
pub(super) fn clause_name(clause: Clause) -> &'static str {
    match clause {
        Clause::Columns => "columns",
        Clause::Copies => "copied table",
        Clause::Refresh => "REFRESH",
        Clause::Target => "target",
        Clause::Security => "definer",
        Clause::Engine => "engine",
        Clause::PartitionBy => "PARTITION BY",
        Clause::PrimaryKey => "PRIMARY KEY",
        Clause::OrderBy => "ORDER BY",
        Clause::SampleBy => "SAMPLE BY",
        Clause::Ttl => "TTL",
        Clause::Source => "SOURCE",
        Clause::Layout => "LAYOUT",
        Clause::Lifetime => "LIFETIME",
        Clause::Range => "RANGE",
        Clause::Comment => "comment",
        Clause::Query => "query",
        Clause::Unknown => "statement",
    }
}
