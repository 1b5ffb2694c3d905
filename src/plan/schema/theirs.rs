//! A replica of a table that its other replicas have in another form than the role wants: it is made as theirs (pure).
//!
//! The coordination keeps one form of a replicated table and refuses a replica of another. What is held on the others must
//! not keep a new host from joining them; it is held there, too, from the next plan on.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Inputs;
use super::host::HostSchema;
use crate::clickhouse::Statement;
use crate::fleet::{HostName, Placement};
use crate::schema::{Object, ObjectName, RecordState, read_live};

/// Finds what is missing here and not, and not about to be, as the role wants it there.
pub(super) fn plan<'a>(inputs: &Inputs<'a>, hosts: &mut BTreeMap<&'a HostName, HostSchema<'a>>) {
    let replicated = |object: &&Object| object.engine_name().starts_with("Replicated");
    let missing = |own: &HostSchema<'a>| -> Vec<&'a Object> {
        own.missing.iter().filter_map(|name| own.object(name)).filter(replicated).collect()
    };
    let wanted: Vec<(&'a HostName, Vec<&'a Object>)> =
        hosts.iter().map(|(name, own)| (*name, missing(own))).filter(|(_, objects)| !objects.is_empty()).collect();
    if wanted.is_empty() {
        return;
    }
    // Hosts that this run leaves alone have their form of it too.
    let of_others = |name: &'a HostName| HostSchema::of(inputs, name, &BTreeSet::new(), &mut Vec::new());
    let others: Vec<HostSchema<'a>> =
        inputs.fleet.hosts.keys().filter(|name| !hosts.contains_key(*name)).filter_map(of_others).collect();
    for (name, objects) in wanted {
        for object in objects {
            let Some(own) = hosts.get(name) else { continue };
            let here: Vec<_> = hosts.values().filter(|peer| shares(own, peer, object)).collect();
            let there: Vec<_> = others.iter().filter(|peer| shares(own, peer, object)).collect();
            let is_right = |peer: &&&HostSchema<'_>| peer.alike.contains(&object.name);
            let becomes_right = |peer: &&HostSchema<'_>| peer.altered.contains_key(&object.name);
            if here.iter().chain(&there).any(|peer| is_right(&peer)) || here.iter().any(becomes_right) {
                continue;
            }
            let theirs = here.into_iter().chain(there).find_map(|peer| form(peer, object));
            if let (Some(theirs), Some(own)) = (theirs, hosts.get_mut(name)) {
                own.theirs.insert(&object.name, theirs);
            }
        }
    }
}

/// Whether two hosts have replicas of one table: of a shard, or of all where its path has no shard in it.
fn shares(own: &HostSchema<'_>, peer: &HostSchema<'_>, object: &Object) -> bool {
    let shard = |host: &HostSchema<'_>| match host.host.placement {
        Placement::Storage { shard, .. } => Some(shard),
        Placement::Stateless | Placement::Keeper { .. } => None,
    };
    let path = object.engine.as_ref().and_then(|engine| engine.positional(0)?.literal());
    let spans_shards = path.is_some_and(|path| !path.contains("{shard}"));
    own.host.name != peer.host.name
        && own.host.role == peer.host.role
        && (spans_shards || shard(own) == shard(peer))
        && live(peer, &object.name).is_some()
}

fn live<'a>(peer: &HostSchema<'a>, name: &ObjectName) -> Option<&'a crate::schema::ObservedObject> {
    peer.live.iter().find(|live| live.name == *name)
}

/// The object by the statement that it was made and altered to there; else by the server's own.
fn form(peer: &HostSchema<'_>, object: &Object) -> Option<Object> {
    let record = peer.facts.records.as_ref().and_then(|records| records.get(&object.name));
    let statement = match record.filter(|record| record.state == RecordState::AsApplied) {
        Some(record) => Statement::new(record.statement.clone()),
        None => read_live(live(peer, &object.name)?, &object.role)?.statement,
    };
    Some(Object { statement, ..object.clone() })
}
