//! How many consumers a role's tables run on each of its hosts (pure).

use std::collections::BTreeSet;

use super::engine::{Family, kafka_setting};
use super::object::{Object, ObjectKind, ObjectName};

/// Counts the consumers of all tables that drain a queue.
///
/// A table that no materialized view reads from drains nothing: it is there to be written to.
#[must_use]
pub fn consumers(objects: &[Object]) -> u64 {
    let views = objects.iter().filter(|object| object.kind == ObjectKind::MaterializedView);
    let read_from: BTreeSet<&ObjectName> = views.flat_map(|view| &view.sources).collect();
    let drains = |object: &&Object| {
        object.kind == ObjectKind::Table
            && Family::of(object.engine_name()) == Family::Queue
            && read_from.contains(&object.name)
    };
    objects.iter().filter(drains).map(of_table).fold(0, u64::saturating_add)
}

/// Engines other than Kafka have one, as a Kafka table that says nothing.
fn of_table(table: &Object) -> u64 {
    kafka_setting(table, "kafka_num_consumers").and_then(|count| count.parse().ok()).unwrap_or(1)
}
