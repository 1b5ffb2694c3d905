//! The steps that remove a host's differences, in order (pure).

use std::collections::BTreeMap;

use super::change::HostChanges;
use super::{FileStep, Gate, Inputs, Step};
use crate::fleet::{Host, HostName, Placement};
use crate::remote::{UnitAction, UnitName};
use crate::role::Role;

/// The directory whose change makes systemd read its units again.
const UNIT_FILES: &str = "/etc/systemd/system/";

/// Orders one host's changes: peers' gate, write, units, reload, gates.
pub(super) fn configuration(inputs: &Inputs<'_>, host: &HostChanges<'_>, peers: &[HostName]) -> Vec<Step> {
    let mut steps = Vec::new();
    if let (Placement::Storage { shard, .. }, false) = (&host.host.placement, peers.is_empty()) {
        steps.push(Step::Gate(Gate::PeersServing { shard: *shard, peers: peers.to_vec() }));
    }
    if !host.directories.is_empty() || !host.files.is_empty() {
        steps.push(Step::Write {
            directories: host.directories.iter().map(|directory| directory.path.clone()).collect(),
            files: host
                .files
                .iter()
                .map(|file| FileStep { path: file.path.clone(), expect: HostChanges::expect(file) })
                .collect(),
        });
    }
    if host.files.iter().any(|file| file.path.as_str().starts_with(UNIT_FILES)) {
        steps.push(Step::DaemonReload);
    }
    steps.extend(host.units.iter().map(|change| Step::Unit { unit: change.unit.clone(), action: change.action }));
    let restart = |unit: &UnitName| Step::Unit { unit: unit.clone(), action: UnitAction::Restart };
    steps.extend(host.restarts.iter().map(restart));
    let mut running: Vec<_> = host.restarts.clone();
    running.extend(host.units.iter().filter(|unit| unit.action == UnitAction::Start).map(|unit| unit.unit.clone()));
    if !running.is_empty() {
        steps.push(Step::Gate(Gate::UnitsRunning { units: running.clone() }));
    }
    clickhouse(inputs, host, &running, &mut steps);
    steps
}

fn clickhouse(inputs: &Inputs<'_>, host: &HostChanges<'_>, running: &[UnitName], steps: &mut Vec<Step>) {
    let Some(clickhouse) = &host.role.clickhouse else { return };
    let started = running.contains(&clickhouse.unit);
    let reload = host.cost.reload && !started && host.serving;
    if reload {
        steps.push(Step::ReloadConfig);
    }
    if started || reload {
        steps.push(Step::Gate(Gate::Serving));
        steps.push(Step::Gate(applied(inputs, host.host, host.role)));
    }
}

/// What the server itself must tell after it has read the new configuration.
pub(super) fn applied(inputs: &Inputs<'_>, host: &Host, role: &Role) -> Gate {
    let mut macros = BTreeMap::new();
    if let Some(role) = &role.host_cluster_role {
        macros.insert("hostClusterRole".to_owned(), role.clone());
    }
    if let Placement::Storage { shard, replica } = &host.placement {
        macros.insert("shard".to_owned(), shard.to_string());
        macros.insert("replica".to_owned(), replica.clone());
    }
    let size = |cluster: &crate::fleet::Cluster| cluster.shards.iter().map(|shard| shard.members.len() as u64).sum();
    let clusters = inputs.fleet.clusters.iter().map(|(name, cluster)| (name.clone(), size(cluster))).collect();
    Gate::Applied { macros, clusters }
}
