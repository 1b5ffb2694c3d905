//! What is altered where it is: a replicated table on one healthy replica, everything else on every host (pure).
//!
//! Several replicas that alter a table at once fail on each other's metadata; so one carries it, and all others are waited
//! for before anything relies on it. What one of them has already was carried by a run before: the others only lag behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::{Change, Gate, Hold, Inputs, Step, Verb, Wave};
use super::host::HostSchema;
use super::{execute, note, part, record, wave};
use crate::clickhouse::{Statement, quote_text};
use crate::fleet::{HostName, Placement, RoleName};
use crate::resource::ClickHouseFacts;
use crate::schema::{Class, Object, ObjectName, Operation, SchemaStage, read_live};

/// Rows of a large table take long to be rewritten; a run that waits for longer is better asked again.
const REWRITTEN_WITHIN: Duration = Duration::from_hours(1);

/// The replicas of one table: those of a shard, or of all shards where every host has all of it; by the path in the coordination
/// that they share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Replicas<'a> {
    role: &'a RoleName,
    shard: Option<u32>,
    name: &'a ObjectName,
    path: String,
}

/// Who carries what to the other replicas; nobody where one of them has it already.
pub(super) struct Altered<'a> {
    carriers: BTreeMap<Replicas<'a>, Option<&'a HostName>>,
}

/// Chooses the carriers; what none can carry is held.
pub(super) fn plan<'a>(
    inputs: &Inputs<'a>,
    hosts: &mut BTreeMap<&'a HostName, HostSchema<'a>>,
    holds: &mut Vec<Hold>,
) -> Altered<'a> {
    destroying(inputs, hosts, holds);
    let mut groups: BTreeMap<Replicas<'a>, Vec<(usize, &'a HostName)>> = BTreeMap::new();
    for (host, own) in hosts.iter() {
        for (name, operations) in &own.altered {
            let carried = operations.iter().filter(|operation| operation.replicated).count();
            if carried > 0 {
                groups.entry(replicas(own, name)).or_default().push((carried, host));
            }
        }
    }
    let names: BTreeSet<&ObjectName> = groups.keys().map(|group| group.name).collect();
    for (host, own) in hosts.iter() {
        for name in own.alike.intersection(&names) {
            if let Some(candidates) = groups.get_mut(&replicas(own, name)) {
                candidates.push((0, host));
            }
        }
    }
    let mut carriers = BTreeMap::new();
    for (group, candidates) in groups {
        match carrier(inputs, &group, &candidates) {
            Ok(host) => drop(carriers.insert(group, host)),
            Err(reason) => {
                for (_, host) in candidates {
                    let Some(own) = hosts.get_mut(host) else { continue };
                    if own.altered.remove(group.name).is_some() {
                        let hint = Some("mend its replicas first: `housewright status`".to_owned());
                        holds.push(own.hold(format!("alter `{}`", group.name), reason.clone(), hint));
                    }
                }
            }
        }
    }
    Altered { carriers }
}

/// Holds what would take rows or columns away.
fn destroying(inputs: &Inputs<'_>, hosts: &mut BTreeMap<&HostName, HostSchema<'_>>, holds: &mut Vec<Hold>) {
    for own in hosts.values_mut() {
        let destroys = |(name, operations): &(&&ObjectName, &Vec<Operation>)| {
            operations.iter().any(|operation| operation.class == Class::Destroys) && !may_destroy(inputs, name)
        };
        let held: Vec<&ObjectName> = own.altered.iter().filter(destroys).map(|(name, _)| *name).collect();
        for name in held {
            let operations = own.altered.remove(name).unwrap_or_default();
            let what = operations.iter().map(|operation| operation.what.as_str()).collect::<Vec<_>>().join("; ");
            let hint = format!("allow it by name: `--allow-destroy {}`", full_name(name));
            holds.push(own.hold(format!("alter `{name}`"), format!("it destroys data: {what}"), Some(hint)));
        }
    }
}

/// Whether the operator has named it.
pub(super) fn may_destroy(inputs: &Inputs<'_>, name: &ObjectName) -> bool {
    inputs.allow_destroy.contains(&full_name(name))
}

/// `database.name`, the default database too.
pub(super) fn full_name(name: &ObjectName) -> String {
    match name {
        ObjectName::Relation { database, name } => format!("{database}.{name}"),
        ObjectName::Database(name) | ObjectName::Function(name) | ObjectName::Collection(name) => name.clone(),
    }
}

/// By the table's own path: one without the shard is of all of them, and one with a UUID of its host alone.
fn replicas<'a>(own: &HostSchema<'a>, name: &'a ObjectName) -> Replicas<'a> {
    let live = own.live.iter().find(|live| live.name == *name).and_then(|live| read_live(live, &own.host.role));
    let path = live.and_then(|live| live.engine.as_ref()?.positional(0)?.literal().map(str::to_owned));
    let shard = match own.host.placement {
        Placement::Storage { shard, .. } => Some(shard),
        Placement::Stateless | Placement::Keeper { .. } => None,
    };
    let shard = shard.filter(|_| path.as_ref().is_none_or(|path| path.contains("{shard}")));
    let mut path = path.unwrap_or_default();
    if path.contains("{uuid}") {
        path.push_str(own.host.name.as_str());
    }
    Replicas { role: &own.host.role, shard, name, path }
}

/// The replica that has least of it to do, and of those the one that is least behind; nobody where one has nothing of it to do.
/// All of the group must be known to be up.
fn carrier<'a>(
    inputs: &Inputs<'a>,
    group: &Replicas<'a>,
    candidates: &[(usize, &'a HostName)],
) -> Result<Option<&'a HostName>, String> {
    let mut best: Option<(usize, u64, &HostName)> = None;
    for host in inputs.fleet.hosts.values().filter(|host| host.role == *group.role) {
        let placed = match host.placement {
            Placement::Storage { shard, .. } => Some(shard),
            Placement::Stateless | Placement::Keeper { .. } => None,
        };
        if group.shard.is_some() && group.shard != placed {
            continue;
        }
        let server = match inputs.observation.facts(&host.name).map(|facts| &facts.clickhouse) {
            Some(ClickHouseFacts::Up { server, .. }) => server,
            // A shard of which nobody was asked has nothing to do with this run.
            None if !inputs.observation.hosts.contains_key(&host.name) && group.shard.is_none() => continue,
            _ => return Err(format!("its replica `{}` does not answer: all of them have to take it", host.name)),
        };
        let left = candidates.iter().find(|(_, name)| *name == &host.name).map(|(left, _)| *left);
        if let Some(left) = left.filter(|left| *left == 0 || server.serves().is_ok()) {
            let this = (left, server.delay, &host.name);
            best = Some(best.map_or(this, |best| best.min(this)));
        }
    }
    let none = || "none of its replicas takes writes and is up to date".to_owned();
    best.map(|(left, _, host)| (left > 0).then_some(host)).ok_or_else(none)
}

impl Altered<'_> {
    /// The waves of one stage: the statements, and then on all replicas the wait for them.
    pub fn waves(&mut self, stage: &SchemaStage, hosts: &BTreeMap<&HostName, HostSchema<'_>>) -> Vec<Wave> {
        let (mut told, mut followed) = (Vec::new(), Vec::new());
        for (name, own) in hosts {
            let (mut first, mut second) = (Part::default(), Part::default());
            for object in stage.roles.get(&own.host.role).into_iter().flatten() {
                let Some((key, operations)) = own.altered.get_key_value(&object.name) else { continue };
                let carries = self.carriers.get(&replicas(own, key)) == Some(&Some(name));
                if operations.iter().any(|operation| operation.replicated) {
                    first.tell(object, operations.iter().filter(|operation| !operation.replicated || carries));
                    second.follow(object, operations, carries);
                } else {
                    first.tell(object, operations.iter());
                    first.settle(object, operations);
                }
            }
            told.extend(first.of(name));
            followed.extend(second.of(name));
        }
        let carried = !followed.is_empty();
        let reason = if carried {
            "replicated tables on one healthy replica, which carries it to the others; the rest on every host"
        } else {
            "on every host: nothing carries it to the others"
        };
        let title = format!("schema: alter {}", stage.stage);
        let follow = "on every replica, before anything relies on it";
        [wave(title.clone(), reason, told), wave(format!("{title}, replicas"), follow, followed)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// A host's part in the making.
#[derive(Default)]
struct Part {
    changes: Vec<Change>,
    steps: Vec<Step>,
}

impl Part {
    fn of(self, host: &HostName) -> Option<super::super::HostPlan> {
        (!self.steps.is_empty()).then(|| part(host, self.changes, self.steps))
    }

    fn tell<'o>(&mut self, object: &Object, operations: impl Iterator<Item = &'o Operation>) {
        for operation in operations {
            let name = object.name.to_string();
            self.steps.push(execute(name.clone(), Verb::Alter(operation.what.clone()), operation.statement.clone()));
            let (what, class) = (operation.what.clone(), operation.class);
            self.changes.push(Change::ObjectAlter { name, what, class, role: object.role.to_string() });
        }
    }

    /// Waits until the replica has what one of them was told.
    fn follow(&mut self, object: &Object, operations: &[Operation], carries: bool) {
        let (database, table) = pair(&object.name);
        let query = Statement::new(format!(
            "SELECT countIf(n >= 2 AND u = 1) = 2 FROM (SELECT name, count() AS n, uniqExact(value) AS u \
             FROM system.zookeeper WHERE path IN (SELECT arrayJoin([zookeeper_path, replica_path]) FROM system.replicas \
             WHERE database = {database} AND table = {table}) AND name IN ('columns', 'metadata') GROUP BY name)"
        ));
        let name = format!("{} is what its replicas agreed on", object.name);
        self.steps.push(asked(name, query, None, "replication_queue"));
        self.settle(object, operations);
        if !carries {
            let (name, role) = (object.name.to_string(), object.role.to_string());
            self.changes.push(Change::ObjectRecord { name, role });
        }
    }

    /// Waits for rows that are rewritten, and writes down what became of it.
    fn settle(&mut self, object: &Object, operations: &[Operation]) {
        if operations.iter().any(|operation| operation.class == Class::Rewrites) {
            let (database, table) = pair(&object.name);
            let query = Statement::new(format!(
                "SELECT count() = 0 FROM system.mutations WHERE NOT is_done AND database = {database} AND table = {table}"
            ));
            let name = format!("the rows of {} are rewritten", object.name);
            self.steps.push(asked(name, query, Some(REWRITTEN_WITHIN), "mutations"));
        }
        self.steps.extend([note([object]), record([&object.name])]);
    }
}

fn asked(name: String, query: Statement, limit: Option<Duration>, table: &str) -> Step {
    let hint = format!("what it waits for is in its `system.{table}`; then `housewright apply` goes on");
    Step::Gate(Gate::Asked { name, query, limit, hint: Some(hint) })
}

/// A table's database and name as texts of SQL.
pub(super) fn pair(name: &ObjectName) -> (String, String) {
    match name {
        ObjectName::Relation { database, name } => (quote_text(database), quote_text(name)),
        ObjectName::Database(name) | ObjectName::Function(name) | ObjectName::Collection(name) => {
            (quote_text(""), quote_text(name))
        }
    }
}
