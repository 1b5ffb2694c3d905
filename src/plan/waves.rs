//! Which hosts go together, and in which order (pure).
//!
//! Never two replicas of a shard in one wave that restarts; never two Keepers.

use std::collections::BTreeMap;

use super::change::{HostChanges, tier};
use super::{FailurePolicy, Hold, HostPlan, Inputs, Wave, safety, steps};
use crate::fleet::{HostName, Placement};
use crate::remote::UnitAction;

/// Groups the hosts' configuration changes into waves: Keepers, then storage, then stateless hosts.
pub(super) fn configuration(inputs: &Inputs<'_>, hosts: Vec<HostChanges<'_>>, holds: &mut Vec<Hold>) -> Vec<Wave> {
    let mut tiers: BTreeMap<u8, Vec<HostChanges<'_>>> = BTreeMap::new();
    for host in hosts {
        tiers.entry(tier(&host.host.placement)).or_default().push(host);
    }
    tiers.into_values().flat_map(|hosts| tier_waves(inputs, hosts, holds)).collect()
}

fn tier_waves(inputs: &Inputs<'_>, hosts: Vec<HostChanges<'_>>, holds: &mut Vec<Hold>) -> Vec<Wave> {
    let (restarts, calm): (Vec<_>, Vec<_>) = hosts.into_iter().partition(HostChanges::interrupts);
    let name = calm.iter().chain(&restarts).next().map_or("", |host| tier_name(&host.host.placement));
    let mut waves = Vec::new();
    if !calm.is_empty() {
        waves.push(Wave {
            title: format!("{name}: {}", calm_verbs(&calm)),
            reason: "nothing that serves goes away, so all hosts go together".to_owned(),
            hosts: calm.iter().map(|host| host_plan(host, &[])).collect(),
        });
    }
    let mut slots: BTreeMap<usize, Vec<HostPlan>> = BTreeMap::new();
    let mut taken: BTreeMap<Group, usize> = BTreeMap::new();
    for host in &restarts {
        let peers = match peers(inputs, host) {
            Ok(peers) => peers,
            Err(hold) => {
                holds.push(hold);
                continue;
            }
        };
        let group = Group::of(host);
        let slot = taken.entry(group.clone()).or_default();
        slots.entry(group.slot(*slot)).or_default().push(host_plan(host, &peers));
        *slot += 1;
    }
    let count = slots.len();
    for (index, hosts) in slots.into_values().enumerate() {
        waves.push(Wave {
            title: format!("{name}: restart {} of {count}", index + 1),
            reason: restart_reason(&restarts).to_owned(),
            hosts,
        });
    }
    waves
}

/// Hosts of which not all may be away at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Shard(String, u32),
    Ensemble,
    Role(String),
}

impl Group {
    fn of(host: &HostChanges<'_>) -> Self {
        match host.host.placement {
            Placement::Storage { shard, .. } => Self::Shard(host.role.name.to_string(), shard),
            Placement::Keeper { .. } => Self::Ensemble,
            Placement::Stateless => Self::Role(host.role.name.to_string()),
        }
    }

    /// The wave of a group's n-th host: one by one, but stateless hosts after their canary all together.
    fn slot(&self, index: usize) -> usize {
        match self {
            Self::Shard(..) | Self::Ensemble => index,
            Self::Role(_) => index.min(1),
        }
    }
}

fn peers(inputs: &Inputs<'_>, host: &HostChanges<'_>) -> Result<Vec<HostName>, Hold> {
    if host.may_serve { safety::may_restart(inputs, host.host) } else { Ok(Vec::new()) }
}

fn host_plan(host: &HostChanges<'_>, peers: &[HostName]) -> HostPlan {
    HostPlan {
        host: host.host.name.clone(),
        changes: host.shown(),
        disruption: host.cost.disruption,
        reasons: host.cost.reasons.clone(),
        steps: steps::configuration(host, peers),
        on_failure: if host.may_serve || host.interrupts() { FailurePolicy::StopRun } else { FailurePolicy::DropHost },
    }
}

/// What a wave without restarts does.
fn calm_verbs(hosts: &[HostChanges<'_>]) -> &'static str {
    let starts = hosts.iter().any(|host| host.units.iter().any(|unit| unit.action == UnitAction::Start));
    let reloads = hosts.iter().any(|host| host.cost.reload);
    match (starts, reloads) {
        (true, true) => "reload and start",
        (true, false) => "start",
        (false, true) => "reload",
        (false, false) => "write",
    }
}

fn tier_name(placement: &Placement) -> &'static str {
    match placement {
        Placement::Keeper { .. } => "coordination",
        Placement::Storage { .. } => "storage",
        Placement::Stateless => "stateless",
    }
}

fn restart_reason(hosts: &[HostChanges<'_>]) -> &'static str {
    match hosts.first().map(|host| &host.host.placement) {
        Some(Placement::Storage { .. }) => "one replica of each shard at a time; the next wave waits for its gates",
        Some(Placement::Keeper { .. }) => "one member at a time, so that the ensemble keeps its quorum",
        _ => "a canary of each role first, then the others together: the consumer group rebalances once",
    }
}
