//! A replica whose server lost what it had: the coordination forgets it, and it is made anew (pure).
//!
//! With the replica goes the last trace of what only it had. So this is planned only where its server is known to be another
//! than the one that made it, and one healthy replica has every part of it; all of that is asked once more right before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::{Change, Gate, Hold, HostPlan, Inputs, Step, Verb, Wave};
use super::alter::full_name;
use super::host::HostSchema;
use super::{execute, part, wave};
use crate::fleet::HostName;
use crate::plan::steps::Limits;
use crate::resource::{ClickHouseFacts, PeerReplica, Place, Registration};
use crate::schema::ObjectName;

/// What one peer has the coordination forget.
type Parts = (Vec<Change>, Vec<Step>);

/// Why a replica stays, and what to do about it.
type Refusal = (String, String);

/// Finds what may go; what may not is held, and so is whatever of its host needs the table.
///
/// `emptied`: hosts whose volumes the plan makes anew: their servers were not asked.
pub(super) fn plan<'a>(
    inputs: &Inputs<'a>,
    emptied: &BTreeSet<HostName>,
    hosts: &mut BTreeMap<&'a HostName, HostSchema<'a>>,
    holds: &mut Vec<Hold>,
) -> Option<Wave> {
    let mut parts: BTreeMap<&'a HostName, Parts> = BTreeMap::new();
    for (name, own) in hosts.iter_mut() {
        let mut held = BTreeSet::new();
        for registration in &own.facts.registrations {
            let place = &registration.place;
            let Some(table) = own.missing.iter().copied().find(|missing| **missing == place.table) else { continue };
            if matches!(own.facts.clickhouse, ClickHouseFacts::Down { .. }) && !emptied.contains(*name) {
                // It has what it had, as far as anybody knows: what is there is not made.
                continue;
            }
            match peer(inputs, name, own, registration) {
                Ok((peer, seen)) => {
                    let (changes, steps) = parts.entry(peer).or_default();
                    changes.push(change(name, place, seen));
                    steps.extend(forget(name, place, seen, delay(inputs, peer)));
                }
                Err((reason, hint)) => {
                    held.insert(table);
                    let reason = format!("replica `{}` of it is in the coordination: {reason}", place.replica);
                    holds.push(own.hold(format!("create `{table}`"), reason, Some(hint)));
                }
            }
        }
        hold_needing(own, held, holds);
    }
    let plans: Vec<HostPlan> = parts.into_iter().map(|(peer, (changes, steps))| part(peer, changes, steps)).collect();
    wave(
        "schema: replicas without a server".to_owned(),
        "what they had is lost where they were, and the coordination takes no other of their names",
        plans,
    )
}

/// Holds what needs a table that is held.
fn hold_needing<'a>(own: &mut HostSchema<'a>, held: BTreeSet<&'a ObjectName>, holds: &mut Vec<Hold>) {
    let mut gone = held;
    own.missing.retain(|name| !gone.contains(name));
    loop {
        let needs = |name: &&'a ObjectName| {
            let object = own.object(name)?;
            object.depends_on.iter().find(|needed| gone.contains(needed)).map(|needed| (*name, needed))
        };
        let Some((name, needed)) = own.missing.iter().find_map(needs) else { return };
        holds.push(own.hold(format!("create `{name}`"), format!("it needs `{needed}`, which is held"), None));
        own.missing.remove(name);
        gone.insert(name);
    }
}

fn delay(inputs: &Inputs<'_>, peer: &HostName) -> Duration {
    inputs.fleet.hosts.get(peer).map(|host| Limits::of(host).delay).unwrap_or_default()
}

/// The replica that has it forgotten: it has all of it, or most where the rest may go.
fn peer<'a>(
    inputs: &Inputs<'a>,
    name: &HostName,
    own: &HostSchema<'a>,
    registration: &'a Registration,
) -> Result<(&'a HostName, &'a PeerReplica), Refusal> {
    let Registration { place, here, peers } = registration;
    let by_hand = || {
        let table = &place.table;
        format!(
            "look at it; then by hand, on a replica that is well: `SYSTEM DROP REPLICA '{}' FROM TABLE {table}`",
            place.replica
        )
    };
    if let Some(other) = &place.coordination {
        return Err((format!("in the auxiliary one `{other}`, where nothing is taken away"), by_hand()));
    }
    if matches!(own.facts.clickhouse, ClickHouseFacts::Down { .. }) {
        let hint = "`housewright apply` once more, behind this one".to_owned();
        return Err(("whether its server has anything of it is known once that runs".to_owned(), hint));
    }
    let here = here.as_ref().ok_or_else(|| {
        ("its server does not tell whether it has anything of it".to_owned(), "`housewright status`".to_owned())
    })?;
    let has_it = "`ATTACH TABLE`, or let the drop end: `system.detached_tables`, `system.dropped_tables`";
    here.is_empty().map_err(|reason| (reason, if here.objects > 0 { has_it.to_owned() } else { by_hand() }))?;
    let best = peers.iter().filter(|(_, seen)| !seen.away).min_by_key(|(peer, seen)| {
        let chosen = inputs.hosts.contains(*peer);
        (seen.parts, seen.lost, !chosen, seen.delay, *peer)
    });
    let Some((peer, seen)) = best else {
        let few: Vec<String> = peers.keys().map(|peer| format!("`{peer}` takes no writes")).collect();
        let which = if few.is_empty() { "no other replica answers".to_owned() } else { few.join(", ") };
        let hint = "bring one up that has its rows: `housewright status`".to_owned();
        return Err((format!("{which}, so nobody is known to have what it had"), hint));
    };
    if seen.active {
        let hint = format!(
            "again in a minute; which server it is stands in `system.zookeeper`, path '{}/replicas/{}', name 'host'",
            place.path, place.replica
        );
        return Err((
            "it has a session: that from before is not over yet, or another server has its name".to_owned(),
            hint,
        ));
    }
    may_go(inputs, (name, place), (peer, seen))?;
    if !inputs.hosts.contains(peer) {
        let hint = format!("`--limit {name},{peer}`");
        return Err((format!("`{peer}` would have it forgotten, and was not chosen"), hint));
    }
    Ok((peer, seen))
}

/// Whether a peer has all that the replica had, or the rest may go.
fn may_go(
    inputs: &Inputs<'_>,
    (name, place): (&HostName, &Place),
    (peer, seen): (&HostName, &PeerReplica),
) -> Result<(), Refusal> {
    let permission = format!("{name}:{}", full_name(&place.table));
    let limit = delay(inputs, peer).as_secs();
    if !inputs.allow_destroy.contains(&permission) {
        let hint =
            format!("let the others fetch what they can; if the rest may be lost: `--allow-destroy {permission}`");
        if seen.parts > 0 {
            let more = if seen.parts > seen.few.len() as u64 { ", ..." } else { "" };
            let (is, verb) = if seen.parts == 1 {
                ("1 of its parts", "is")
            } else {
                (&*format!("{} of its parts", seen.parts), "are")
            };
            let reason = format!("{is} {verb} not on `{peer}`, which has most of them: {}{more}", seen.few.join(", "));
            return Err((reason, hint));
        }
        if seen.lost > 0 {
            let reason = format!(
                "`{peer}` has all of its parts, and has given up {} in its time: empty ones stand in their place",
                seen.lost
            );
            return Err((reason, hint));
        }
    }
    if seen.parts == 0 && seen.delay > limit {
        let hint = "let it catch up, then `housewright apply`".to_owned();
        return Err((format!("`{peer}` is {} s behind, at most {limit} s", seen.delay), hint));
    }
    Ok(())
}

fn change(name: &HostName, place: &Place, seen: &PeerReplica) -> Change {
    let (replica, of) = (place.replica.clone(), name.clone());
    Change::ReplicaForget { name: seen.table.to_string(), replica, of, parts: seen.parts }
}

/// All of it is asked anew, and then it goes.
fn forget(name: &HostName, place: &Place, seen: &PeerReplica, delay: Duration) -> Vec<Step> {
    let Some(statement) = place.forget(seen) else { return Vec::new() };
    let (table, replica) = (&seen.table, &place.replica);
    let empty = format!("{name} has nothing of {}", place.table);
    let whole = match seen.parts {
        0 => format!("{table} has all that replica `{replica}` had"),
        parts => format!("{table} lacks {parts} parts of replica `{replica}`, and no others"),
    };
    let hint = Some("`housewright plan` shows what is there now".to_owned());
    vec![
        Step::Gate(Gate::Told { hosts: vec![name.clone()], name: empty, query: place.is_empty_here() }),
        Step::Gate(Gate::Asked { name: whole, query: place.may_go(seen, delay), limit: Some(Duration::ZERO), hint }),
        execute(format!("replica `{replica}` of {table} out of the coordination"), Verb::Drop, statement),
    ]
}
