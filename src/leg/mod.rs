//! Legs: one broker's way into a storage table, and how a topic goes over from one leg to another (pure).
//!
//! A leg is read out of the roles' own statements; what is written for a new one, and taken out of an old one, are those
//! statements again.

mod add;
mod judge;
mod pieces;
mod remove;
mod rewrite;
mod sample;
#[cfg(test)]
mod tests;
mod world;

use std::collections::{BTreeMap, BTreeSet};

pub use add::{Added, add};
pub use judge::{Bar, LegState, Subject, drained, parity, proven, state, well};
pub use remove::{Edited, remove};
pub use sample::{POLLED_WITHIN, Sample, TableSample, question, read_sample};
pub use world::{Brokers, shares_brokers, without_collection};

use crate::fleet::RoleName;
use crate::render::sql;
use crate::schema::{Object, ObjectKind, ObjectName, collection, kafka_setting};

/// One broker's way into a storage table: a Kafka table, the views that read it, and the tables that these write through.
#[derive(Debug, Clone)]
pub struct Leg<'a> {
    /// The role in whose directory it is written.
    pub owner: &'a RoleName,
    /// The roles whose hosts have it.
    pub roles: BTreeSet<&'a RoleName>,
    /// What of its role's objects it stands among.
    pub among: &'a [Object],
    /// The Kafka table.
    pub table: &'a Object,
    /// The materialized views that read from it.
    pub views: Vec<&'a Object>,
    /// The Distributed tables that these write to.
    pub targets: Vec<&'a Object>,
}

impl<'a> Leg<'a> {
    /// The topics that it reads.
    pub fn topics(&self) -> impl Iterator<Item = &'a str> {
        kafka_setting(self.table, "kafka_topic_list").unwrap_or_default().split(',').map(str::trim)
    }

    /// The named collection that has its brokers; nothing where they are written into its statement.
    #[must_use]
    pub fn collection(&self) -> Option<&'a str> {
        collection(self.table)
    }

    /// Refuses a leg whose statements are a template's: what is here is filled in for one environment.
    fn is_written_out(&self) -> Result<(), String> {
        let mut files = self.objects().map(|object| &object.span.source.name);
        match files.find(|name| name.ends_with(sql::SUFFIX)) {
            Some(name) => Err(format!("`{name}` is a template: write and take out its legs by hand")),
            None => Ok(()),
        }
    }

    /// Its consumer group.
    #[must_use]
    pub fn group(&self) -> Option<&'a str> {
        kafka_setting(self.table, "kafka_group_name")
    }

    /// How many consumers each of its hosts runs.
    #[must_use]
    pub fn consumers(&self) -> u64 {
        kafka_setting(self.table, "kafka_num_consumers").and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// Whether its role has a Kafka table of that name.
    fn is_queue(&self, name: &ObjectName) -> bool {
        self.among.iter().any(|object| object.name == *name && object.engine_name() == "Kafka")
    }

    /// All that it is made of: first what the others rely on.
    pub fn objects(&self) -> impl Iterator<Item = &'a Object> {
        self.targets.iter().copied().chain(std::iter::once(self.table)).chain(self.views.iter().copied())
    }
}

/// Finds the legs of all roles; one of an included role once.
#[must_use]
pub fn legs(roles: &BTreeMap<RoleName, Vec<Object>>) -> Vec<Leg<'_>> {
    let mut legs: Vec<Leg<'_>> = Vec::new();
    for (role, objects) in roles {
        for table in objects.iter().filter(|table| kafka_setting(table, "kafka_topic_list").is_some()) {
            if let Some(known) = legs.iter_mut().find(|leg| leg.table.span == table.span) {
                known.roles.insert(role);
                continue;
            }
            let views: Vec<&Object> = objects
                .iter()
                .filter(|view| view.kind == ObjectKind::MaterializedView && view.sources.contains(&table.name))
                .collect();
            // A table that nothing reads from is only written to.
            if views.is_empty() {
                continue;
            }
            let written: BTreeSet<&ObjectName> = views.iter().filter_map(|view| view.target.as_ref()).collect();
            let is_proxy = |object: &&Object| written.contains(&object.name) && object.engine_name() == "Distributed";
            let targets = objects.iter().filter(is_proxy).collect();
            legs.push(Leg { owner: &table.role, roles: BTreeSet::from([role]), among: objects, table, views, targets });
        }
    }
    legs
}
