//! Which tables of a host consume a queue, and which stand still because an earlier run detached them (pure).

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{ClickHouseFacts, Detached, DetachedTable, HostFacts, Owed, Proof};
use crate::schema::{Family, ObjectName, ObservedObject};

/// The tables that consume now: what made them, and what must show that they do so again.
pub(super) fn consuming(facts: &HostFacts) -> Detached {
    of(facts, |name| facts.flow.consuming.contains(name))
}

/// All tables of queues: also one that is only written to keeps what it was attached with.
pub(super) fn all(facts: &HostFacts) -> Detached {
    of(facts, |_| true)
}

/// Whether there are any, wherever they are: of what somebody detached, nobody knows the engine.
pub(super) fn has_any(facts: &HostFacts) -> bool {
    let detached = facts.flow.detached.as_ref().is_some_and(|detached| !detached.is_empty());
    detached || !owed(facts).is_empty() || !all(facts).0.is_empty()
}

/// Some of them.
pub(super) fn these(facts: &HostFacts, names: &BTreeSet<ObjectName>) -> Detached {
    of(facts, |name| names.contains(name))
}

fn of(facts: &HostFacts, wanted: impl Fn(&ObjectName) -> bool) -> Detached {
    let ClickHouseFacts::Up { objects, .. } = &facts.clickhouse else { return Detached::default() };
    let queues = objects.iter().filter(|object| Family::of(&object.engine) == Family::Queue && wanted(&object.name));
    let table = |object: &ObservedObject| {
        let joined = facts.flow.consumers.get(&object.name).is_some_and(|consumers| consumers.joined > 0);
        let proof = match object.engine.as_str() {
            "Kafka" if !facts.flow.consuming.contains(&object.name) => Proof::Attached,
            "Kafka" if joined => Proof::Joined,
            "Kafka" => Proof::Polling,
            _ => Proof::Attached,
        };
        (object.name.clone(), DetachedTable { proof, create: object.create_query.clone() })
    };
    Detached(queues.map(table).collect())
}

/// Where a table is that an earlier run detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Still detached, as far as is known.
    Detached,
    /// Attached again.
    Attached,
}

/// The tables that an earlier run detached and did not see consume again; those that somebody dropped are none.
pub(super) fn owed(facts: &HostFacts) -> BTreeMap<&ObjectName, (&DetachedTable, Whereabouts)> {
    let markers =
        facts.owed.iter().filter_map(|owed| if let Owed::Attach(tables) = owed { Some(tables) } else { None });
    let found = |name: &ObjectName| match (&facts.clickhouse, &facts.flow.detached) {
        (ClickHouseFacts::Up { objects, .. }, _) if objects.iter().any(|object| object.name == *name) => {
            Some(Whereabouts::Attached)
        }
        (ClickHouseFacts::Up { .. }, Some(detached)) if !detached.contains(name) => None,
        _ => Some(Whereabouts::Detached),
    };
    markers.flat_map(|tables| &tables.0).filter_map(|(name, table)| Some((name, (table, found(name)?)))).collect()
}

/// The tables that somebody else detached for good.
pub(super) fn detached_by_others(facts: &HostFacts) -> impl Iterator<Item = &ObjectName> {
    let owed = owed(facts);
    facts.flow.detached.iter().flatten().filter(move |name| !owed.contains_key(name))
}

/// A marker that says that something is detached, and not what, while something is: nothing of it is touched.
pub(super) fn unreadable_marker(facts: &HostFacts) -> Option<&Owed> {
    let is_detached = detached_by_others(facts).next().is_some();
    facts.owed.iter().find(|owed| is_detached && matches!(owed, Owed::Attach(tables) if tables.0.is_empty()))
}
