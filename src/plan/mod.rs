//! What to do: waves of hosts, steps and gates for each, and what is held back, with reasons (pure).
//!
//! All choices of a run are made here; equal input gives an equal plan, byte for byte.

mod adoption;
mod applied;
mod budget;
mod change;
mod clusters;
mod compare;
mod disruption;
mod doubt;
mod drift;
mod effective;
mod ensemble;
mod fallback;
mod fingerprint;
mod ground;
mod hold;
mod joining;
mod masked;
mod only;
mod ours;
mod over_http;
mod precondition;
mod proof;
mod queues;
mod references;
mod restart;
mod safety;
mod saved;
mod schema;
mod setting;
mod step;
mod steps;
mod traffic;
mod waves;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use adoption::{Adoption, NothingMeant, Wanted, adoption};
pub use budget::{Amount, AmountError, Budget, Canary, Part};
pub use change::Change;
pub use clusters::{SeenClusters, cluster_proofs};
pub use compare::Compared;
pub use doubt::doubts;
pub use drift::{Drift, FleetDrift, drift};
pub use fallback::Fallback;
pub use fingerprint::{Fingerprints, HostFingerprint};
pub use hold::Hold;
pub use precondition::{Moved, Precondition};
pub use proof::{Proof, of_questions, proofs};
pub use safety::Replicas;
pub use saved::{MadeWith, SavedPlan, SavedPlanError};
pub use setting::{SettingChange, SettingKind};
pub use step::{FailurePolicy, FileStep, Gate, Step, Traffic, Verb};

use crate::clickhouse::config::Disruption;
use crate::fleet::{Fleet, HostName, RoleName};
use crate::migration::{GoOn, MigrationId, RoleMigrations};
use crate::remote::{RemotePath, UnitName};
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, HostObservation, KeeperFacts, Observation};
use crate::schema::Object;

/// Everything that a plan is made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What the operator means.
    pub fleet: &'a Fleet,
    /// What should be there.
    pub desired: &'a BTreeMap<HostName, Desired>,
    /// Which objects each role's hosts should have.
    pub objects: &'a BTreeMap<RoleName, Vec<Object>>,
    /// Which migrations each role's hosts should have had.
    pub migrations: &'a RoleMigrations,
    /// What is there; also of peers that are not in `hosts`, for their health.
    pub observation: &'a Observation,
    /// Hosts that may be changed.
    pub hosts: &'a BTreeSet<HostName>,
    /// What the operator allows by name.
    pub permissions: Permissions,
    /// `--allow-destroy`: objects that may be dropped with their rows, as `database.name`, migrations that may take rows away, as
    /// `role/number`, disks that may be emptied, as `host:device`, and replicas whose last trace may go, as `host:database.name`.
    pub allow_destroy: &'a [String],
    /// `--migration`: how to go on with those that were interrupted.
    pub go_on: &'a [(MigrationId, GoOn)],
    /// What a run may take at a time.
    pub budget: &'a Budget,
    /// The one part of the changes that is planned; all where it is not given.
    pub only: Option<Part>,
    /// A restart of these units and nothing else, of those that serve where none is named; the changes where it is not given.
    pub restart: Option<&'a BTreeSet<UnitName>>,
}

/// What is refused unless the operator allows it by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of `--allow`")]
pub struct Permissions {
    /// `--allow shard-outage`: restart a replica although no other replica of its shard serves.
    pub shard_outage: bool,
    /// `--allow quorum-outage`: restart a coordination server although the others are no quorum without it.
    pub quorum_outage: bool,
    /// `--allow adopt-objects`: objects that are as their role wants them become Housewright's own.
    pub adopt_objects: bool,
    /// `--allow downgrade`: install an older version of ClickHouse than the one that is there.
    pub downgrade: bool,
}

/// A reviewed value: what would be done, in which order, and what would not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One after the other; the hosts of a wave go together.
    pub waves: Vec<Wave>,
    /// What is not done now, and why.
    pub holds: Vec<Hold>,
    /// Hosts that did not answer: nothing is planned for them.
    pub unreachable: BTreeMap<HostName, Unreachable>,
    /// Hosts where nothing differs.
    pub unchanged: BTreeSet<HostName>,
    /// What `--only` leaves out, by host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<HostName, BTreeSet<String>>,
    /// How often the consumers of a role move, where its hosts restart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rebalances: BTreeMap<RoleName, Rebalances>,
    /// How many hosts that served may fail before no further one is begun.
    #[serde(default)]
    pub max_failures: usize,
    /// What the inventory's `rollout` says of the waves, where no option says otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pace: Vec<String>,
    /// Files in the servers' directories that are not ours: they are never touched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign: BTreeMap<HostName, BTreeSet<RemotePath>>,
    /// What is to be known of hosts, and is nothing to change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, BTreeSet<HostName>>,
}

/// How often the consumers of a role move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalances {
    /// Once in each of so many waves.
    pub waves: usize,
    /// So many hosts restart in them.
    pub hosts: usize,
}

/// Why nothing is planned for a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    /// The causes as one line.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Hosts that go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// What it does, in a few words.
    pub title: String,
    /// Why it stands here and why these hosts go together.
    pub reason: String,
    /// How many of what are away at once, where a budget says how many may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
    /// What these hosts do in earlier waves is what this one relies on: where one of them failed, or is not in the plan any more,
    /// neither this one is begun nor any behind it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub relies_on: BTreeSet<HostName>,
    /// In order of name.
    pub hosts: Vec<HostPlan>,
}

/// How many hosts of a group are away at once: of a role, of a role in a zone, of a cluster of copies, or of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Away {
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its hosts in this zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The cluster whose storage hosts all have the same rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// How many are away.
    pub away: usize,
    /// How many there are.
    pub of: usize,
    /// How many may be away.
    pub at_most: usize,
}

/// One host's part in a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPlan {
    /// Which host.
    pub host: HostName,
    /// What differs and will be removed.
    pub changes: Vec<Change>,
    /// The most that any of the changes costs.
    pub disruption: Disruption,
    /// Which changes cost it, and why.
    pub reasons: Vec<String>,
    /// In order.
    pub steps: Vec<Step>,
    /// What a failure after the first change means for the run.
    pub on_failure: FailurePolicy,
    /// What must still be so on the host right before its first step; not shown, for a digest of a file with a secret says
    /// too much.
    #[serde(skip)]
    pub expects: Precondition,
    /// What is done on the host itself after such a failure.
    #[serde(default, skip_serializing_if = "Fallback::is_empty")]
    pub fallback: Fallback,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    /// Hosts that any wave changes.
    #[must_use]
    pub fn changed_hosts(&self) -> BTreeSet<&HostName> {
        self.waves.iter().flat_map(|wave| &wave.hosts).map(|host| &host.host).collect()
    }

    /// Takes the operator's word for it.
    #[must_use]
    pub fn approve(self) -> ApprovedPlan {
        ApprovedPlan(self)
    }
}

/// A plan that may be run: made by [`Plan::approve`] only.
#[derive(Debug)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// The plan itself.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// Makes the plan.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let pace = inputs.budget.pace(&inputs.fleet.rollout);
    let mut plan = Plan { max_failures: inputs.budget.max_failures, pace, ..Plan::default() };
    for (host, found) in &inputs.observation.hosts {
        if let (true, HostObservation::Unreachable { reason, hint }) = (inputs.hosts.contains(host), found) {
            plan.unreachable.insert(host.clone(), Unreachable { reason: reason.clone(), hint: hint.clone() });
        }
    }
    let strangers = over_http::strangers(inputs, &mut plan.holds);
    let known = inputs.hosts.difference(&strangers).cloned().collect();
    let inputs = &Inputs { hosts: &known, ..*inputs };
    plan.holds.extend(over_http::told(inputs));
    plan.foreign = ours::foreign(inputs);
    plan.remarks = ground::remarks(inputs);
    let mut hosts = match inputs.restart {
        None => change::collect(inputs, &mut plan.holds),
        Some(wanted) => restart::collect(inputs, wanted, &mut plan.holds),
    };
    ensemble::hold_back(inputs, &mut hosts, &mut plan.holds);
    if let Some(part) = inputs.only {
        hosts = only::narrow(inputs, part, hosts, &mut plan);
    }
    let starts = hosts.iter().filter(|host| host.starts_clickhouse()).map(|host| host.host.name.clone());
    let starts: BTreeSet<_> = starts.collect();
    let waves::Configuration { waves, rebalances } = waves::configuration(inputs, &hosts, &mut plan.holds);
    (plan.waves, plan.rebalances) = (waves, rebalances);
    // A start that is held back starts nothing.
    let starting = plan.changed_hosts().into_iter().filter(|host| starts.contains(*host)).cloned().collect();
    let emptied = emptied(inputs, &plan.waves);
    match inputs.only {
        _ if inputs.restart.is_some() => {}
        None | Some(Part::Schema) => {
            let schema = schema::waves(inputs, (&starting, &emptied), &mut plan.holds);
            plan.waves = joining::behind_tables(inputs, std::mem::take(&mut plan.waves), schema);
        }
        Some(Part::Records) => {
            let waves = schema::waves(inputs, (&starting, &emptied), &mut plan.holds);
            let records = only::records(waves, &mut plan);
            plan.waves.extend(records);
        }
        Some(_) => only::leave_schema(&schema::waves(inputs, (&starting, &emptied), &mut Vec::new()), &mut plan),
    }
    for host in plan.waves.iter_mut().flat_map(|wave| &mut wave.hosts) {
        host.fallback = fallback::of(host, inputs);
    }
    if inputs.restart.is_none() {
        plan.holds.extend(unwell(inputs, &plan));
    }
    plan.holds.sort();
    precondition::expect(inputs, &mut plan);
    let busy: BTreeSet<_> = plan.changed_hosts().into_iter().cloned().collect();
    let left = plan.left_out.keys().cloned();
    let held: BTreeSet<_> = plan.holds.iter().map(|hold| hold.host.clone()).chain(left).collect();
    plan.unchanged = inputs
        .hosts
        .iter()
        .filter(|host| inputs.observation.facts(host).is_some() && !busy.contains(*host) && !held.contains(*host))
        .cloned()
        .collect();
    plan
}

/// Hosts on which a filesystem is made, or that have nothing of ours: what their servers had is not there, as far as anybody knows.
fn emptied(inputs: &Inputs<'_>, waves: &[Wave]) -> BTreeSet<HostName> {
    let makes = |change: &Change| matches!(change, Change::Ground(ground) if ground.kind == "filesystem" && ground.is.is_none());
    let hosts = waves.iter().flat_map(|wave| &wave.hosts).filter(|host| host.changes.iter().any(makes));
    let is_new =
        |host: &&HostName| inputs.observation.facts(host).is_some_and(|facts| facts.manifest.files.0.is_empty());
    hosts.map(|host| host.host.clone()).chain(inputs.hosts.iter().filter(is_new).cloned()).collect()
}

/// Hosts that are as desired by their files, and whose server is not well all the same.
fn unwell(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Hold> {
    let spoken_of: BTreeSet<_> = plan
        .changed_hosts()
        .into_iter()
        .chain(plan.holds.iter().map(|hold| &hold.host))
        .chain(plan.left_out.keys())
        .collect();
    let why = |host: &HostName| {
        let facts = inputs.observation.facts(host)?;
        match (&facts.clickhouse, &facts.keeper) {
            (ClickHouseFacts::Up { server, .. }, _) => server.serves().err(),
            (ClickHouseFacts::Down { reason }, _) | (_, KeeperFacts::Down { reason }) => Some(reason.clone()),
            (ClickHouseFacts::NotAsked, KeeperFacts::NotAsked | KeeperFacts::Up { .. }) => None,
        }
    };
    let hold = |(host, reason): (&HostName, String)| Hold {
        host: host.clone(),
        what: "serve".to_owned(),
        reason,
        hint: Some("its files are right; look at its log, then run `housewright status`".to_owned()),
    };
    let quiet = inputs.hosts.iter().filter(|host| !spoken_of.contains(host));
    quiet.filter_map(|host| Some((host, why(host)?))).map(hold).collect()
}
