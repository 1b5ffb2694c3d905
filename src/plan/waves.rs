//! Which hosts go together, and in which order (pure).
//!
//! Never two replicas of a shard in one wave that restarts; never two Keepers.

use std::collections::BTreeMap;

use super::change::{HostChanges, tier};
use super::safety::Peers;
use super::{FailurePolicy, Fallback, Hold, HostPlan, Inputs, Precondition, Wave, safety, steps};
use crate::fleet::Placement;
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
    let (restarts, others): (Vec<_>, Vec<_>) = hosts.into_iter().partition(HostChanges::interrupts);
    let (reloads, calm): (Vec<_>, Vec<_>) = others.into_iter().partition(HostChanges::reloads);
    let name = calm.iter().chain(&reloads).chain(&restarts).next().map_or("", |host| tier_name(&host.host.placement));
    let mut waves = Vec::new();
    if !calm.is_empty() {
        let plans = calm.iter().map(|host| host_plan(host, &Peers::None)).collect();
        waves.push(Wave { title: format!("{name}: {}", calm_verb(&calm)), reason: CALM.to_owned(), hosts: plans });
    }
    let plans = reloads.iter().map(|host| (host, host_plan(host, &Peers::None))).collect();
    waves.extend(in_slots(&format!("{name}: reload"), plans));
    let mut plans = Vec::new();
    for host in &restarts {
        match peers(inputs, host) {
            Ok(peers) => plans.push((host, host_plan(host, &peers))),
            Err(hold) => holds.push(hold),
        }
    }
    waves.extend(in_slots(&format!("{name}: restart"), plans));
    waves
}

const CALM: &str = "nothing that serves goes away";

/// Spreads hosts over waves so that no two of a group that must not be away together are in one.
fn in_slots(title: &str, hosts: Vec<(&HostChanges<'_>, HostPlan)>) -> Vec<Wave> {
    let reason = hosts.first().map(|(host, _)| slot_reason(host)).unwrap_or_default();
    let mut slots: BTreeMap<usize, Vec<HostPlan>> = BTreeMap::new();
    let mut taken: BTreeMap<Group, usize> = BTreeMap::new();
    for (host, plan) in hosts {
        let group = Group::of(host);
        let turn = taken.entry(group.clone()).or_default();
        // The very first host of the tier is the canary: what breaks, breaks on one.
        let slot = if slots.is_empty() { 0 } else { group.slot(*turn) };
        *turn += 1;
        slots.entry(slot).or_default().push(plan);
    }
    let count = slots.len();
    let wave = |(index, hosts)| {
        let title = if count == 1 { title.to_owned() } else { format!("{title} {} of {count}", index + 1) };
        Wave { title, reason: reason.to_owned(), hosts }
    };
    slots.into_values().enumerate().map(wave).collect()
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

    /// The wave of a group's n-th host, behind the canary's: one by one, but stateless hosts all together.
    fn slot(&self, turn: usize) -> usize {
        match self {
            Self::Shard(..) | Self::Ensemble => turn + 1,
            Self::Role(_) => 1,
        }
    }
}

fn peers(inputs: &Inputs<'_>, host: &HostChanges<'_>) -> Result<Peers, Hold> {
    if host.may_serve { safety::may_restart(inputs, host.host) } else { Ok(Peers::None) }
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

/// What a wave does in which nothing is reloaded or restarted.
fn calm_verb(hosts: &[HostChanges<'_>]) -> &'static str {
    let starts = hosts.iter().any(|host| host.units.iter().any(|unit| unit.action == UnitAction::Start));
    if starts { "start" } else { "write" }
}

fn tier_name(placement: &Placement) -> &'static str {
    match placement {
        Placement::Keeper { .. } => "coordination",
        Placement::Storage { .. } => "storage",
        Placement::Stateless => "stateless",
    }
}

fn slot_reason(host: &HostChanges<'_>) -> &'static str {
    match host.host.placement {
        Placement::Storage { .. } => {
            "a canary, then one replica of each shard at a time; each wave waits for its gates"
        }
        Placement::Keeper { .. } => "one member at a time, so that the ensemble keeps its quorum",
        Placement::Stateless => "a canary, then the others together: a consumer group rebalances once",
    }
}
