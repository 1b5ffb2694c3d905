//! What is made, and what is only noted (pure).

use std::collections::BTreeMap;

use super::super::{Change, Verb, Wave};
use super::host::{HostSchema, Noted};
use super::{are_there, begin, execute, forget, kind, note, part, record, wave as a_wave};
use crate::fleet::HostName;
use crate::schema::{Object, SchemaStage};

/// One stage's wave: each host gets what it lacks of it, in the stage's order.
///
/// It is noted before it is made: whatever a run is killed in, the next one knows what of it is its own.
pub(super) fn wave(stage: &SchemaStage, hosts: &BTreeMap<&HostName, HostSchema<'_>>) -> Option<Wave> {
    let mut parts = Vec::new();
    for (name, host) in hosts {
        let staged = stage.roles.get(&host.host.role).map(Vec::as_slice).unwrap_or_default();
        let missing = staged.iter().filter(|object| host.missing.contains(&object.name));
        let objects: Vec<&Object> = missing.map(|object| host.theirs.get(&object.name).unwrap_or(object)).collect();
        if objects.is_empty() {
            continue;
        }
        let names = objects.iter().map(|object| &object.name);
        let mut steps = vec![begin(objects.iter().copied())];
        steps.extend(
            objects.iter().map(|object| execute(object.name.to_string(), Verb::Create, object.statement.clone())),
        );
        steps.extend([are_there(names.clone()), record(names)]);
        let change = |object: &&Object| Change::Object {
            name: object.name.to_string(),
            kind: match host.theirs.get(&object.name) {
                Some(theirs) => format!("{}, as its other replicas have it", kind(theirs)),
                None => kind(object),
            },
            role: object.role.to_string(),
        };
        parts.push(part(name, objects.iter().map(change).collect(), steps));
    }
    let title = format!("schema: {}", stage.stage);
    a_wave(title, "after all that it needs, on every host whose role has it", parts)
}

/// What is as its role wants it and not, or not wholly, in its host's record; and what is in it and nowhere else.
pub(super) fn noted(hosts: &BTreeMap<&HostName, HostSchema<'_>>) -> Option<Wave> {
    let mut parts = Vec::new();
    for (name, host) in hosts {
        let unfinished: Vec<(&Object, Noted)> =
            host.unfinished.iter().filter_map(|(name, noted)| Some((host.object(name)?, *noted))).collect();
        if unfinished.is_empty() && host.stale.is_empty() {
            continue;
        }
        let new: Vec<&Object> =
            unfinished.iter().filter(|(_, noted)| *noted == Noted::No).map(|(object, _)| *object).collect();
        let mut steps = Vec::new();
        if !new.is_empty() {
            steps.push(note(new));
        }
        if !unfinished.is_empty() {
            steps.push(record(unfinished.iter().map(|(object, _)| &object.name)));
        }
        if !host.stale.is_empty() {
            steps.push(forget(host.stale.iter().map(|(name, _)| *name)));
        }
        let change = |(object, _): &(&Object, Noted)| Change::ObjectRecord {
            name: object.name.to_string(),
            role: object.role.to_string(),
        };
        let gone = host
            .stale
            .iter()
            .map(|(name, record)| Change::ObjectForget { name: name.to_string(), role: record.role.to_string() });
        parts.push(part(name, unfinished.iter().map(change).chain(gone).collect(), steps));
    }
    a_wave("schema: the hosts' records".to_owned(), "they say what is there", parts)
}
