//! What a host's objects lack or have otherwise, and what mends it (pure).
//!
//! Compares only what can be compared surely; an object that was created from the same text never differs, and one that
//! Housewright has no record of is never changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::{Delta, Form, Sides, flattened, told};
use super::engine::Family;
use super::mend::{Around, Mend, mend};
use super::object::{Object, ObjectKind, ObjectName};
use super::observe::ObservedObject;
use super::operation::{Difference, ObjectChange};
use super::record::{Recorded, Records};
use crate::clickhouse::{Clause, CreateKind, Definition, split};
use crate::problem::Source;

const NOT_OURS: &str = "Housewright has no record of it: write it as it is there (`housewright schema dump`), then \
                        `housewright schema adopt` makes it Housewright's own";

/// Compares one host's desired objects with its live ones; live objects that no role wants are left alone.
///
/// The order is that of `desired`.
#[must_use]
pub fn diff(desired: &[Object], observed: &[ObservedObject], records: &Records) -> Vec<ObjectChange> {
    let live: BTreeMap<&ObjectName, &ObservedObject> = observed.iter().map(|object| (&object.name, object)).collect();
    let wanted: BTreeMap<&ObjectName, &Object> = desired.iter().map(|object| (&object.name, object)).collect();
    let change = |object: &Object| match live.get(&object.name) {
        None => Some(ObjectChange::Create(object.clone())),
        Some(live) => differs(object, live, records.get(&object.name), &wanted),
    };
    desired.iter().filter_map(change).collect()
}

fn differs(
    object: &Object,
    live: &ObservedObject,
    record: Option<&Recorded>,
    wanted: &BTreeMap<&ObjectName, &Object>,
) -> Option<ObjectChange> {
    // What a table copied from another one is the only thing that its own words do not tell.
    let tells_all = object.kind != ObjectKind::Table || object.columns.is_some();
    let same = |record: &Recorded| record.live_is_as_applied && record.statement == object.statement.text();
    if tells_all && record.is_some_and(same) {
        return None;
    }
    let server = definition(&live.create_query);
    if let Some(other) = of_another_kind(object, live, server.as_ref().map(|server| server.kind)) {
        let hint = if record.is_some() { "drop it by hand first" } else { NOT_OURS }.to_owned();
        return Some(ObjectChange::Held { object: object.clone(), why: vec![other], hint });
    }
    let (mut desired, server) = (definition(object.statement.text())?, server?);
    let recorded = record.and_then(|record| definition(&record.statement));
    let copies = copy_columns(object, &mut desired, wanted);
    let exact = recorded.as_ref().filter(|_| record.is_some_and(|record| record.live_is_as_applied));
    let sides = Sides {
        desired: &desired,
        base: exact.unwrap_or(&server),
        form: if exact.is_some() { Form::Exact } else { Form::Loose },
        recorded: recorded.as_ref(),
    };
    let mut deltas = sides.deltas();
    if copies {
        // The other table's columns were taken once, so only the server knows them.
        deltas.retain(|delta| !is_of_columns(delta));
        deltas.extend(Sides { base: &server, form: Form::Loose, recorded: None, ..sides }.columns());
    }
    if deltas.is_empty() {
        return None;
    }
    let why: Vec<Difference> = deltas.iter().map(told).collect();
    let object = object.clone();
    let reads_a_queue = object.sources.iter().any(|source| is_queue(wanted.get(source).copied()));
    Some(match mend(&object, &live.engine, &deltas, Around { reads_a_queue }) {
        _ if record.is_none() => ObjectChange::Held { object, why, hint: NOT_OURS.to_owned() },
        Mend::Alter(operations) => ObjectChange::Alter { object, operations, why },
        Mend::Recreate => ObjectChange::Recreate { object, why },
        Mend::Held(hint) => ObjectChange::Held { object, why, hint },
    })
}

pub(super) fn definition(text: &str) -> Option<Definition> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    split(&source).first().and_then(Definition::read).map(flattened)
}

fn is_queue(object: Option<&Object>) -> bool {
    object.is_some_and(|object| object.kind == ObjectKind::Table && Family::of(object.engine_name()) == Family::Queue)
}

/// Gives a table that was made `AS other` the columns of the other one.
fn copy_columns(object: &Object, desired: &mut Definition, wanted: &BTreeMap<&ObjectName, &Object>) -> bool {
    if !desired.columns.is_empty() || !desired.clauses.contains_key(&Clause::Copies) {
        return false;
    }
    let other = object.sources.first().and_then(|source| wanted.get(source));
    desired.columns =
        other.and_then(|other| definition(other.statement.text())).map(|other| other.columns).unwrap_or_default();
    true
}

fn is_of_columns(delta: &Delta<'_>) -> bool {
    matches!(delta, Delta::NewColumn { .. } | Delta::Column { .. } | Delta::MovedColumn { .. } | Delta::GoneColumn(_))
}

/// A table where a view should be; or nothing but the engine's name is known.
fn of_another_kind(object: &Object, live: &ObservedObject, server: Option<CreateKind>) -> Option<Difference> {
    let engine = match object.kind {
        ObjectKind::MaterializedView => "MaterializedView",
        ObjectKind::View => "View",
        ObjectKind::Dictionary => "Dictionary",
        // A table without ENGINE gets that of `default_table_engine`.
        ObjectKind::Table => object.engine_name(),
        ObjectKind::Database | ObjectKind::Function | ObjectKind::NamedCollection => return None,
    };
    let same = match server {
        Some(kind) => kind == create_kind(object.kind),
        None => engine.is_empty() || engine == live.engine,
    };
    let desired = if engine.is_empty() { "Table" } else { engine }.to_owned();
    (!same).then(|| Difference { what: "engine".to_owned(), desired, observed: live.engine.clone() })
}

fn create_kind(kind: ObjectKind) -> CreateKind {
    match kind {
        ObjectKind::Database => CreateKind::Database,
        ObjectKind::Table => CreateKind::Table,
        ObjectKind::MaterializedView => CreateKind::MaterializedView,
        ObjectKind::View => CreateKind::View,
        ObjectKind::Dictionary => CreateKind::Dictionary,
        ObjectKind::Function => CreateKind::Function,
        ObjectKind::NamedCollection => CreateKind::NamedCollection,
    }
}
