//! What is done on a host whose steps failed half-way: it gets back what it had, and its server the chance to run with it (pure).
//!
//! Only a host that served has something to go back to; and nothing is restarted that answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FailurePolicy, Gate, HostPlan, Inputs, Step, Traffic};
use crate::fleet::Placement;
use crate::remote::{RemotePath, UnitAction, UnitName};
use crate::resource::{Applied, ClickHouseFacts, HostFacts, Owed, Record};

/// What is done on a host after a failure that followed its first change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// Where no server was told of the change yet.
    pub written: Vec<Step>,
    /// Where one was told, or may have been.
    pub told: Vec<Step>,
    /// Last, whatever became of the others: nothing stays detached, and who is well comes back into traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<Step>,
}

impl Fallback {
    /// What is done after a failure, before what always is: where its last commands fail, the host is well as it is.
    #[must_use]
    pub fn after(&self, failed_last: bool, told: bool) -> &[Step] {
        match (failed_last, told) {
            (true, _) => &[],
            (false, true) => &self.told,
            (false, false) => &self.written,
        }
    }

    /// Whether nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty() && self.told.is_empty() && self.always.is_empty()
    }
}

/// Makes the way back out of a host's finished steps and what was found on it.
pub(super) fn of(plan: &HostPlan, inputs: &Inputs<'_>) -> Fallback {
    let host = inputs.fleet.hosts.get(&plan.host);
    let (Some(host), Some(facts)) = (host, inputs.observation.facts(&plan.host)) else { return Fallback::default() };
    if !plan.fallback.is_empty() {
        return plan.fallback.clone();
    }
    let way = Way::of(&plan.steps);
    // The marker of what was detached stays until a run has seen it consume.
    let always: Vec<Step> = plan.steps.iter().filter_map(Step::undo).chain(into_traffic(&plan.steps)).collect();
    if plan.on_failure != FailurePolicy::StopRun || (way.files.is_empty() && way.directories.is_empty()) {
        return Fallback { always, ..Fallback::default() };
    }
    let clickhouse = inputs.fleet.role_of(host).and_then(|role| role.clickhouse.as_ref()).map(|server| &server.unit);
    let is_keeper = matches!(host.placement, Placement::Keeper { .. });
    let gates = gates(facts);
    let known = |owes| way.restore(facts, owes);
    let reread = way.daemon_reload.then_some(Step::DaemonReload);

    let mut written: Vec<Step> = known(facts.owed.clone()).into_iter().chain(reread.clone()).collect();
    let is_detached = |owed: &&Owed| matches!(owed, Owed::Attach(_) | Owed::Traffic);
    settle(way.owes.difference(&facts.owed).filter(|owed| !is_detached(owed)).cloned().collect(), &mut written);
    written.extend(gates.iter().cloned().map(Step::Gate));

    let mut told: Vec<Step> = known(way.owes.union(&facts.owed).cloned().collect()).into_iter().chain(reread).collect();
    let mut units: Vec<&UnitName> = way.restarts.clone();
    units.extend(clickhouse.filter(|unit| way.reloads && !way.restarts.contains(unit)));
    for unit in units {
        told.push(revive(unit, &alive(unit, clickhouse, is_keeper, facts)));
    }
    if let (Some(unit), ClickHouseFacts::Up { .. }) = (clickhouse, &facts.clickhouse) {
        // What a reload takes back, it takes back; also where a restart is owed for the rest.
        told.extend([Step::Gate(Gate::Answers), Step::ReloadConfig]);
        let reload = Owed::Reload(unit.clone());
        if way.owes.contains(&reload) || facts.owed.contains(&reload) {
            settle(BTreeSet::from([reload]), &mut told);
        }
    }
    told.extend(gates.into_iter().map(Step::Gate));
    Fallback { written, told, always }
}

/// What the steps forward do to a host.
#[derive(Default)]
struct Way<'a> {
    files: Vec<RemotePath>,
    directories: Vec<RemotePath>,
    record: Option<Box<Record>>,
    owes: BTreeSet<Owed>,
    restarts: Vec<&'a UnitName>,
    reloads: bool,
    daemon_reload: bool,
}

impl<'a> Way<'a> {
    fn of(steps: &'a [Step]) -> Self {
        let mut way = Self::default();
        for step in steps {
            match step {
                Step::Write { directories, files, removals, record, owes } => {
                    way.directories.extend(directories.iter().cloned());
                    way.files.extend(files.iter().chain(removals).map(|file| file.path.clone()));
                    match (&mut way.record, record) {
                        // The second half of one record.
                        (Some(known), Some(record)) => known.after.clone_from(&record.after),
                        (None, Some(record)) => way.record = Some(record.clone()),
                        (_, None) => {}
                    }
                    way.owes.extend(owes.iter().cloned());
                }
                Step::Unit { unit, action: UnitAction::Restart } => way.restarts.push(unit),
                Step::ReloadConfig => way.reloads = true,
                Step::DaemonReload => way.daemon_reload = true,
                _ => {}
            }
        }
        way
    }

    /// A directory that was not there stays: it is empty, and nobody reads it.
    fn restore(&self, facts: &HostFacts, owes: BTreeSet<Owed>) -> Option<Step> {
        let was_there = |path: &&RemotePath| facts.directories.contains_key(*path);
        let directories: Vec<_> = self.directories.iter().filter(was_there).cloned().collect();
        let files = self.files.clone();
        let nothing = directories.is_empty() && files.is_empty() && owes.is_empty();
        let record = self.record.clone();
        (!nothing).then_some(Step::Restore { directories, files, record, owes })
    }
}

/// What says that a unit need not be started anew: that its server answers, where it did before.
fn alive(unit: &UnitName, clickhouse: Option<&UnitName>, is_keeper: bool, facts: &HostFacts) -> Gate {
    match &facts.clickhouse {
        ClickHouseFacts::Up { .. } if clickhouse == Some(unit) => Gate::Answers,
        _ if is_keeper && facts.keeper.serves().is_ok() => Gate::KeeperServing,
        _ => Gate::UnitsRunning { units: vec![unit.clone()] },
    }
}

/// Starts a unit anew with the old files, where it is down; then it owes nothing.
fn revive(unit: &UnitName, alive: &Gate) -> Step {
    let restart = Step::Unit { unit: unit.clone(), action: UnitAction::Restart };
    let running = Step::Gate(Gate::UnitsRunning { units: vec![unit.clone()] });
    let mut steps = vec![restart, running];
    settle(BTreeSet::from(Owed::by(unit)), &mut steps);
    Step::Unless { gate: alive.clone(), steps }
}

/// Brings a host back that these steps took out, where it is well at a look: by their own gates, but for what its files say,
/// which may be the old ones again.
fn into_traffic(steps: &[Step]) -> Option<Step> {
    let is_out = |step: &Step| matches!(step, Step::Hook { traffic: Traffic::Drain, .. });
    let after = steps.get(steps.iter().position(is_out)?..)?;
    let restore = |step: &&Step| matches!(step, Step::Hook { traffic: Traffic::Restore, .. });
    let forget = |step: &Step| matches!(step, Step::Settle { owed } if owed.contains(&Owed::Traffic));
    let back: Vec<Step> = after.iter().filter(|step| restore(step) || forget(step)).cloned().collect();
    let gates = after.iter().filter_map(|step| match step {
        Step::Gate(Gate::Applied(_) | Gate::Drained { .. }) => None,
        Step::Gate(gate) => Some(gate.clone()),
        _ => None,
    });
    Some(Step::Where { gates: gates.collect(), steps: back })
}

/// What the host said before is what it must say again; of a host that was not well, no more than it did.
fn gates(facts: &HostFacts) -> Vec<Gate> {
    let mut gates = Vec::new();
    if let ClickHouseFacts::Up { server, .. } = &facts.clickhouse {
        gates.push(if server.serves().is_ok() { Gate::Serving } else { Gate::Answers });
        // A configuration that a server has refused may have cost it all of its clusters.
        gates.push(Gate::Applied(Applied { clusters: server.clusters.clone(), ..Applied::default() }));
    }
    if facts.keeper.serves().is_ok() {
        gates.push(Gate::KeeperServing);
    }
    gates
}

fn settle(owed: BTreeSet<Owed>, steps: &mut Vec<Step>) {
    if !owed.is_empty() {
        steps.push(Step::Settle { owed });
    }
}
