//! The steps that remove a host's differences, in order (pure).

use std::collections::BTreeSet;

use super::change::HostChanges;
use super::{FileStep, Gate, Step};
use crate::fleet::{HostName, Placement};
use crate::remote::{UnitAction, UnitName};

/// The directory whose change makes systemd read its units again.
const UNIT_FILES: &str = "/etc/systemd/system/";

/// Orders one host's changes: peers' gate, write, units, reload, gates.
pub(super) fn configuration(host: &HostChanges<'_>, peers: &[HostName]) -> Vec<Step> {
    let mut steps = Vec::new();
    if let (Placement::Storage { shard, .. }, false) = (&host.host.placement, peers.is_empty()) {
        steps.push(Step::Gate(Gate::PeersServing { shard: *shard, peers: peers.to_vec() }));
    }
    if !(host.directories.is_empty() && host.files.is_empty() && host.restarts.is_empty()) {
        steps.push(Step::Write {
            directories: host.directories.iter().map(|directory| directory.path.clone()).collect(),
            files: host
                .files
                .iter()
                .map(|file| FileStep { path: file.path.clone(), expect: HostChanges::expect(file) })
                .collect(),
            owes: host.restarts.clone(),
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
    let settled: Vec<_> =
        host.owed.iter().chain(&host.restarts).filter(|unit| running.contains(unit)).cloned().collect();
    if !settled.is_empty() {
        steps.push(Step::Settle { units: settled.into_iter().collect::<BTreeSet<_>>().into_iter().collect() });
    }
    clickhouse(host, &running, &mut steps);
    steps
}

fn clickhouse(host: &HostChanges<'_>, running: &[UnitName], steps: &mut Vec<Step>) {
    let Some(clickhouse) = &host.role.clickhouse else { return };
    let started = running.contains(&clickhouse.unit);
    let reload = host.cost.reload && !started && host.answers;
    if reload {
        steps.push(Step::ReloadConfig);
    }
    if started || reload {
        steps.push(Step::Gate(Gate::Serving));
        steps.push(Step::Gate(Gate::Applied(host.applied.clone())));
    }
}
