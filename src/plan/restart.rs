//! A restart that was asked for: of units that run, with nothing else changed (pure).
//!
//! It goes through the same waves, gates and holds as a restart that a change costs. What else differs on a host is left.

use std::collections::BTreeSet;

use super::change::{self, HostChanges};
use super::disruption::Cost;
use super::traffic::HostTraffic;
use super::{Hold, Inputs, applied};
use crate::clickhouse::config::Disruption;
use crate::fleet::{Fleet, Host, HostName};
use crate::remote::UnitName;
use crate::resource::{Applied, HostFacts, ObservedUnit, Owed, Ownership, diff_files};

/// The units of a host that a restart means: those that are named, else the one that serves others, else all of its role.
fn units_to_restart(fleet: &Fleet, host: &Host, named: &BTreeSet<UnitName>) -> BTreeSet<UnitName> {
    let Some(role) = fleet.role_of(host) else { return BTreeSet::new() };
    if !named.is_empty() {
        return role.units.keys().filter(|unit| named.contains(*unit)).cloned().collect();
    }
    match &role.clickhouse {
        Some(clickhouse) => BTreeSet::from([clickhouse.unit.clone()]),
        None => role.units.keys().cloned().collect(),
    }
}

/// One host's restart as a change; a unit that does not run is held back: it is not ours to start it here.
pub(super) fn collect<'a>(
    inputs: &Inputs<'a>,
    named: &BTreeSet<UnitName>,
    holds: &mut Vec<Hold>,
) -> Vec<HostChanges<'a>> {
    let mut all = Vec::new();
    for name in inputs.hosts {
        let (Some(host), Some(facts)) = (inputs.fleet.hosts.get(name), inputs.observation.facts(name)) else {
            continue;
        };
        let units = units_to_restart(inputs.fleet, host, named);
        let (Some(role), Some(desired)) = (inputs.fleet.role_of(host), inputs.desired.get(name)) else { continue };
        if let Some(hold) = change::another_replica(host, facts) {
            holds.push(Hold { what: "restart".to_owned(), ..hold });
            continue;
        }
        if units.is_empty() {
            holds.push(Hold {
                host: name.clone(),
                what: "restart".to_owned(),
                reason: format!("its role `{}` has no such unit", role.name),
                hint: Some("which units a role has is in its `role.yml`".to_owned()),
            });
            continue;
        }
        let (running, stopped): (Vec<_>, Vec<_>) =
            units.iter().cloned().partition(|unit| facts.units.get(unit).is_some_and(ObservedUnit::is_running));
        holds.extend(stopped.iter().map(|unit| not_running(name, unit, facts)));
        if running.is_empty() {
            continue;
        }
        let owed = facts.owed.iter().filter(|owed| match owed {
            Owed::Restart(unit) | Owed::Reload(unit) | Owed::Reattach(unit) => running.contains(unit),
            // Tables that an earlier run left detached come back.
            Owed::Attach(_) | Owed::Traffic => true,
        });
        // The server is held to its files where they are the desired ones: others are nobody's promise.
        let right = diff_files(desired, facts).is_empty();
        let reason = |unit: &UnitName| format!("{unit}: a restart was asked for");
        all.push(HostChanges {
            ground: Vec::new(),
            host,
            role,
            desired,
            facts,
            directories: Vec::new(),
            files: Vec::new(),
            own: Ownership::default(),
            units: Vec::new(),
            cost: Cost {
                disruption: Disruption::Restart,
                reasons: running.iter().map(reason).collect(),
                restart_units: running.iter().cloned().collect(),
                reload: false,
                ..Cost::default()
            },
            restarts: running.clone(),
            owed: owed.cloned().collect(),
            later: BTreeSet::new(),
            applied: if right { applied::expected(host, desired, facts) } else { Applied::default() },
            stale_units: Vec::new(),
            traffic: HostTraffic::of(host, facts),
            may_serve: change::may_serve(role, facts),
        });
    }
    all
}

fn not_running(host: &HostName, unit: &UnitName, facts: &HostFacts) -> Hold {
    let is = facts.units.get(unit).map_or("not there", |unit| unit.active.as_str());
    Hold {
        host: host.clone(),
        what: format!("restart {unit}"),
        reason: format!("it does not run: it is {is}"),
        hint: Some("`housewright apply` starts what should run".to_owned()),
    }
}
