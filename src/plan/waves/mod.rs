//! Which hosts go together, and in which order (pure).
//!
//! No wave that reloads or restarts has two replicas of a shard, of any cluster; none restarts two members of the ensemble, or
//! more of a role, of a zone or of the run than the budget says. Options only make waves smaller or order them.

mod groups;
mod order;
mod pack;
mod reason;

use std::collections::{BTreeMap, BTreeSet};

use groups::{Action, Groups};
use order::lanes;
pub(super) use order::leads;
use pack::Packer;
use reason::Together;

use super::change::{HostChanges, tier};
use super::ensemble::Standing;
use super::safety::Peers;
use super::{
    FailurePolicy, Fallback, Gate, Hold, HostPlan, Inputs, Precondition, Rebalances, Step, Wave, ensemble, safety,
    steps,
};
use crate::clickhouse::config::Disruption;
use crate::fleet::{HostName, Placement, RoleName, Shards};
use crate::remote::UnitAction;
use crate::schema::Family;

/// The waves, and how often consumers move in them.
#[derive(Default)]
pub(super) struct Configuration {
    pub waves: Vec<Wave>,
    pub rebalances: BTreeMap<RoleName, Rebalances>,
}

/// A host that goes, with its part of a plan.
struct Going<'h, 'a> {
    changes: &'h HostChanges<'a>,
    plan: HostPlan,
}

/// Groups the hosts' configuration changes into waves: Keepers, then storage, then stateless hosts.
pub(super) fn configuration(inputs: &Inputs<'_>, hosts: &[HostChanges<'_>], holds: &mut Vec<Hold>) -> Configuration {
    let shards = Shards::of(inputs.fleet);
    let mut tiers: BTreeMap<(u8, u8), (Action, Vec<Going<'_, '_>>)> = BTreeMap::new();
    for changes in hosts {
        let (place, action) = match () {
            () if changes.interrupts() => (2, Action::Restart),
            () if changes.reloads() => (1, Action::Reload),
            () => (0, Action::Write),
        };
        let peers = match action {
            Action::Restart => peers(inputs, &shards, changes),
            Action::Write | Action::Reload => Ok(safety::at_start(inputs, changes.host)),
        };
        match peers {
            Ok(peers) => {
                let plan = host_plan(changes, &peers);
                let tier = (tier(&changes.host.placement), place);
                tiers.entry(tier).or_insert((action, Vec::new())).1.push(Going { changes, plan });
            }
            Err(hold) => holds.push(hold),
        }
    }
    let restarting = tiers.values().filter(|(action, _)| *action == Action::Restart).flat_map(|(_, hosts)| hosts);
    let going: BTreeSet<&HostName> = restarting.map(|host| &host.plan.host).collect();
    let groups = Groups::of(inputs, &shards, &going);
    let consuming = consuming(inputs);
    let mut configuration = Configuration::default();
    let mut first = true;
    for (action, hosts) in tiers.values() {
        let packed = pack(inputs, &groups, hosts, *action, first);
        first &= *action == Action::Write;
        for wave in &packed {
            let roles: BTreeSet<_> = wave.iter().map(|(_, host)| &host.changes.host.role).collect();
            for role in roles.into_iter().filter(|role| *action == Action::Restart && consuming.contains(role)) {
                let count = |wave: &Vec<(_, &Going<'_, '_>)>| {
                    wave.iter().filter(|(_, host)| host.changes.host.role == *role).count()
                };
                let rebalances = configuration.rebalances.entry(role.clone()).or_default();
                rebalances.waves += 1;
                rebalances.hosts += count(wave);
            }
        }
        let name = title(hosts, *action);
        let count = packed.len();
        for (index, hosts) in packed.into_iter().enumerate() {
            let together = Together { hosts: &hosts, action: *action };
            let title = if count == 1 { name.clone() } else { format!("{name} {} of {count}", index + 1) };
            let (reason, away) = (together.text(inputs, &groups, &consuming), together.away(&groups));
            let mut hosts: Vec<_> = hosts.into_iter().map(|(_, host)| host.plan.clone()).collect();
            hosts.sort_by(|a, b| a.host.cmp(&b.host));
            configuration.waves.push(Wave { title, reason, away, relies_on: BTreeSet::new(), hosts });
        }
    }
    look_back(inputs, &mut configuration.waves);
    behind_who_joins(inputs, &mut configuration.waves, holds);
    configuration
}

/// Whoever of a shard was taken away before serves again before the next one goes, also one that did not when it was asked.
fn look_back(inputs: &Inputs<'_>, waves: &mut [Wave]) {
    let mut taken: BTreeMap<(&RoleName, u32), BTreeSet<HostName>> = BTreeMap::new();
    for wave in waves {
        for part in wave.hosts.iter_mut().filter(|part| part.disruption == Disruption::Restart) {
            let Some(host) = inputs.fleet.hosts.get(&part.host) else { continue };
            let Placement::Storage { shard, .. } = host.placement else { continue };
            let before = taken.entry((&host.role, shard)).or_default();
            for step in &mut part.steps {
                if let Step::Gate(Gate::PeersServing { peers, .. }) = step {
                    let all: BTreeSet<HostName> = peers.drain(..).chain(before.iter().cloned()).collect();
                    peers.extend(all);
                }
            }
            before.insert(part.host.clone());
        }
    }
}

/// Members are told of one that joins when it runs, or when a wave before has started it: of an even number, the majority needs it.
fn behind_who_joins(inputs: &Inputs<'_>, waves: &mut Vec<Wave>, holds: &mut Vec<Hold>) {
    let Standing::Changes(change) = ensemble::standing(inputs) else { return };
    let is_told = |part: &HostPlan| {
        let host = inputs.fleet.hosts.get(&part.host);
        let is_member = host.is_some_and(|host| matches!(host.placement, Placement::Keeper { .. }));
        is_member && part.disruption == Disruption::Restart
    };
    let runs = |host: &&HostName| inputs.observation.facts(host).is_some_and(ensemble::runs);
    let mut up: BTreeSet<HostName> = change.joining.iter().filter(runs).cloned().collect();
    let mut started: BTreeSet<HostName> = BTreeSet::new();
    for wave in waves.iter_mut() {
        match change.joining.iter().find(|host| !up.contains(*host)) {
            None if wave.hosts.iter().any(is_told) => wave.relies_on.extend(started.iter().cloned()),
            None => {}
            Some(missing) => {
                let hold = |part: &HostPlan| Hold {
                    host: part.host.clone(),
                    what: "restart".to_owned(),
                    reason: format!("`{missing}`, which joins the ensemble, does not run, and nothing here starts it"),
                    hint: Some(format!("start it first, or with them: `--limit` must not leave `{missing}` out")),
                };
                holds.extend(wave.hosts.iter().filter(|part| is_told(part)).map(hold));
                wave.hosts.retain(|part| !is_told(part));
            }
        }
        let starts =
            |part: &&HostPlan| part.steps.iter().any(|step| matches!(step, Step::Gate(Gate::UnitsRunning { .. })));
        let joins =
            wave.hosts.iter().filter(starts).map(|part| &part.host).filter(|host| change.joining.contains(*host));
        let joins: Vec<_> = joins.cloned().collect();
        up.extend(joins.iter().cloned());
        started.extend(joins);
    }
    waves.retain(|wave| !wave.hosts.is_empty());
}

type Packed<'h, 'a> = Vec<Vec<(order::Why, &'h Going<'h, 'a>)>>;

/// Puts the hosts of one tier and one action into waves.
fn pack<'h, 'a>(
    inputs: &Inputs<'_>,
    groups: &Groups<'a>,
    hosts: &'h [Going<'h, 'a>],
    action: Action,
    first: bool,
) -> Packed<'h, 'a> {
    let serial = inputs.budget.serial.iter().map(|amount| amount.of(hosts.len())).collect();
    let mut packer = Packer::new(serial);
    if action == Action::Write {
        for host in hosts {
            packer.place((order::Why::Rest, host), &[], |_| 1);
        }
        return packer.finish();
    }
    for lane in lanes(inputs, groups, hosts, first) {
        packer.close();
        for host in lane.hosts {
            packer.place((lane.why, host), &groups.around(host.changes.host, action), |group| groups.limit(group).most);
        }
    }
    packer.finish()
}

/// Stateless roles whose hosts consume.
fn consuming<'a>(inputs: &Inputs<'a>) -> BTreeSet<&'a RoleName> {
    let stateless = inputs.fleet.hosts.values().filter(|host| host.placement == Placement::Stateless);
    let roles: BTreeSet<_> = stateless.map(|host| &host.role).collect();
    let consumes = |role: &&RoleName| {
        let objects = inputs.objects.get(*role).map(Vec::as_slice).unwrap_or_default();
        objects.iter().any(|object| Family::of(object.engine_name()) == Family::Queue)
    };
    roles.into_iter().filter(consumes).collect()
}

fn peers(inputs: &Inputs<'_>, shards: &Shards<'_>, host: &HostChanges<'_>) -> Result<Peers, Hold> {
    if host.may_serve { safety::may_restart(inputs, shards, host.host) } else { Ok(Peers::None) }
}

fn host_plan(host: &HostChanges<'_>, peers: &Peers) -> HostPlan {
    HostPlan {
        host: host.host.name.clone(),
        changes: host.shown(),
        disruption: host.cost.disruption,
        reasons: host.cost.reasons.clone(),
        steps: steps::configuration(host, peers),
        on_failure: if host.may_serve || host.interrupts() { FailurePolicy::StopRun } else { FailurePolicy::DropHost },
        expects: Precondition::default(),
        fallback: Fallback::default(),
    }
}

/// What the waves of a tier do, in a few words.
fn title(hosts: &[Going<'_, '_>], action: Action) -> String {
    let tier = hosts.first().map_or("", |host| match host.changes.host.placement {
        Placement::Keeper { .. } => "coordination",
        Placement::Storage { .. } => "storage",
        Placement::Stateless => "stateless",
    });
    let starts = |host: &Going<'_, '_>| host.changes.units.iter().any(|unit| unit.action == UnitAction::Start);
    let attaches = |host: &Going<'_, '_>| host.plan.disruption == Disruption::Reattach;
    let verb = match action {
        Action::Write if hosts.iter().any(starts) => "start",
        Action::Write if hosts.iter().any(attaches) => "attach",
        Action::Write if hosts.iter().any(|host| host.changes.traffic.returns) => "bring into traffic",
        Action::Write => "write",
        Action::Reload => "reload",
        Action::Restart => "restart",
    };
    format!("{tier}: {verb}")
}
