//! What is made anew, with all that hangs on it: a queue and its views, one host of a role after the other (pure).
//!
//! Offsets belong to the consumer group, so the cost is lag; and what fails goes back to the server's own statements,
//! byte for byte: no queue and no view stays dropped.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Change, Fallback, Gate, Hold, HostPlan, Step, Verb, Wave, queues};
use super::drop::{Rows, statement as drop_statement};
use super::host::HostSchema;
use super::{are_there, begin, execute, note, part, record, wave};
use crate::clickhouse::Statement;
use crate::clickhouse::config::Disruption;
use crate::fleet::{HostName, RoleName};
use crate::plan::steps::Limits;
use crate::schema::{Object, ObjectKind, ObjectName, ObservedObject, SchemaStage, Stage, hides_a_secret, read_live};

/// Finds what hangs together on each host; what cannot go together is held.
pub(super) fn plan<'a>(
    hosts: &mut BTreeMap<&'a HostName, HostSchema<'a>>,
    stages: &[SchemaStage],
    holds: &mut Vec<Hold>,
) {
    for own in hosts.values_mut() {
        while let Some(first) = own.anew.keys().next().copied() {
            let together = together(own, first);
            let why: BTreeMap<_, _> =
                together.iter().filter_map(|name| Some((*name, own.anew.remove(*name)?))).collect();
            match group(own, &together, stages) {
                Ok(objects) => {
                    for object in &objects {
                        own.missing.remove(&object.name);
                        own.altered.remove(&object.name);
                    }
                    own.why.extend(why);
                    own.groups.push(objects);
                }
                Err(reason) => {
                    let what = format!("make `{first}` anew");
                    let why: Vec<_> = why.into_values().collect();
                    let hint = Some("change it by hand, or take it out of the role first".to_owned());
                    holds.push(own.hold(what, format!("{}; {reason}", why.join("; ")), hint));
                }
            }
        }
    }
}

/// All that has to go with one object: what reads a queue, what writes to a table, and the queues of those.
fn together<'a>(own: &HostSchema<'a>, first: &'a ObjectName) -> BTreeSet<&'a ObjectName> {
    let mut all = BTreeSet::from([first]);
    loop {
        let mut more = all.clone();
        for view in own.objects.iter().filter(|object| object.kind == ObjectKind::MaterializedView) {
            let reads = view.sources.iter().any(|source| all.contains(source));
            let writes = view.target.as_ref().is_some_and(|target| all.contains(target));
            if reads || writes {
                more.insert(&view.name);
            }
            if all.contains(&view.name) {
                // With another view on it, its rows would go past this one.
                let queue = |object: &&Object| Stage::of(object) == Stage::Queue && view.sources.contains(&object.name);
                more.extend(own.objects.iter().filter(queue).map(|object| &object.name));
            }
        }
        if more.len() == all.len() {
            return all;
        }
        all = more;
    }
}

/// The objects of a group in the order of making, where all of them can go.
fn group<'a>(
    own: &HostSchema<'a>,
    names: &BTreeSet<&'a ObjectName>,
    stages: &[SchemaStage],
) -> Result<Vec<&'a Object>, String> {
    let staged = stages.iter().filter_map(|stage| stage.roles.get(&own.host.role)).flatten();
    let objects: Vec<&Object> =
        staged.filter(|object| names.contains(&object.name)).filter_map(|object| own.object(&object.name)).collect();
    for object in &objects {
        let live = own.live.iter().find(|live| live.name == object.name);
        match Stage::of(object) {
            Stage::Proxy | Stage::Queue => {}
            Stage::View => {
                let from_queue =
                    |source: &ObjectName| own.object(source).is_some_and(|source| Stage::of(source) == Stage::Queue);
                if !object.sources.iter().all(from_queue) {
                    return Err(format!("`{}` reads from a table: rows would go past it meanwhile", object.name));
                }
                if object.target.is_none() {
                    return Err(format!("`{}` holds rows of its own", object.name));
                }
            }
            _ => return Err(format!("`{}` may hold rows", object.name)),
        }
        if let Some(live) = live {
            if hides_a_secret(live) {
                return Err(format!("the way back is not known: a secret is written into `{}`", object.name));
            }
            if own.facts.records.as_ref().is_none_or(|records| !records.contains_key(&object.name)) {
                return Err(format!("`{}` hangs on it and is not Housewright's", object.name));
            }
        }
    }
    let is_other = |live: &&ObservedObject| live.engine == "MaterializedView" && !names.contains(&live.name);
    for live in own.live.iter().filter(is_other) {
        let Some(view) = read_live(live, &own.host.role) else { continue };
        if view.sources.iter().chain(&view.target).any(|name| names.contains(name)) {
            return Err(format!("`{}`, which no role of the host wants, hangs on it", live.name));
        }
    }
    Ok(objects)
}

/// One wave for each turn: of every role the first host, then of every role the second.
pub(super) fn waves(hosts: &BTreeMap<&HostName, HostSchema<'_>>) -> Vec<Wave> {
    let mut turns: BTreeMap<usize, Vec<HostPlan>> = BTreeMap::new();
    let mut begun: BTreeMap<&RoleName, usize> = BTreeMap::new();
    for (name, own) in hosts.iter().filter(|(_, own)| !own.groups.is_empty()) {
        let turn = begun.entry(&own.host.role).or_default();
        *turn += 1;
        turns.entry(*turn).or_default().push(anew(name, own));
    }
    let count = turns.len();
    let title = |turn: usize| {
        let of = if count > 1 { format!(" {turn} of {count}") } else { String::new() };
        format!("schema: make anew{of}")
    };
    let reason = "one host of a role after the other; the consumer group keeps its offsets";
    turns.into_iter().filter_map(|(turn, hosts)| wave(title(turn), reason, hosts)).collect()
}

fn anew(name: &HostName, own: &HostSchema<'_>) -> HostPlan {
    let (mut changes, mut steps, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for group in &own.groups {
        let there: Vec<&ObservedObject> =
            group.iter().filter_map(|object| own.live.iter().find(|live| live.name == object.name)).collect();
        steps.extend(away(own, group, &there));
        // What is there keeps its record until its new form consumes: what goes back is as that says, and tried again.
        let (old, new): (Vec<&Object>, Vec<&Object>) =
            group.iter().copied().partition(|object| there.iter().any(|live| live.name == object.name));
        steps.extend((!new.is_empty()).then(|| begin(new)));
        steps.extend(
            group.iter().map(|object| execute(object.name.to_string(), Verb::Create, object.statement.clone())),
        );
        let names = group.iter().map(|object| &object.name);
        steps.push(are_there(names.clone()));
        let queues = consuming(own, group);
        steps.extend(queues.clone());
        steps.extend((!old.is_empty()).then(|| note(old)));
        steps.push(record(names));
        // What is there now, of whichever statement, goes away first.
        back.extend(away(own, group, &there));
        back.extend(there.iter().map(|live| {
            let statement = Statement::new(live.create_query.clone());
            execute(live.name.to_string(), Verb::Create, statement)
        }));
        back.extend(queues);
        let first = group.iter().find(|object| own.why.contains_key(&object.name)).or(group.first());
        changes.extend(first.map(|object| {
            let others = group.iter().filter(|other| other.name != object.name);
            Change::ObjectRecreate {
                name: object.name.to_string(),
                why: group
                    .iter()
                    .filter_map(|object| own.why.get(&object.name).cloned())
                    .collect::<Vec<_>>()
                    .join("; "),
                with: others.map(|other| other.name.to_string()).collect(),
                role: object.role.to_string(),
            }
        }));
    }
    let mut plan = part(name, changes, steps);
    plan.disruption = Disruption::Reattach;
    let has_queue = own.groups.iter().flatten().any(|object| Stage::of(object) == Stage::Queue);
    let what = if has_queue { "queues are" } else { "Distributed tables are" };
    plan.reasons = vec![format!("its {what} made anew")];
    plan.fallback = Fallback { written: back.clone(), told: back, always: Vec::new() };
    plan
}

/// Takes a group away. A queue with several views goes first: what it still read would reach only some of them. Nothing
/// that waits to be sent on goes with its table.
fn away(own: &HostSchema<'_>, group: &[&Object], there: &[&ObservedObject]) -> Vec<Step> {
    let views = group.iter().filter(|object| Stage::of(object) == Stage::View).count();
    let turn = |object: &Object| match Stage::of(object) {
        Stage::Queue if views > 1 => 0,
        Stage::View => 1,
        Stage::Queue => 2,
        _ => 3,
    };
    let mut gone: Vec<&&Object> =
        group.iter().filter(|object| there.iter().any(|live| live.name == object.name)).collect();
    gone.sort_by_key(|object| turn(object));
    let mut steps = Vec::new();
    for object in gone {
        if Stage::of(object) == Stage::Proxy && !steps.iter().any(|step| matches!(step, Step::Gate(_))) {
            steps.push(Step::Gate(Gate::Drained { limit: Limits::of(own.host).drain }));
        }
        steps.extend(
            drop_statement(&object.name, object.kind, Rows::Go)
                .map(|drop| execute(object.name.to_string(), Verb::Drop, drop)),
        );
    }
    steps
}

/// Its queues consume again as before.
fn consuming(own: &HostSchema<'_>, group: &[&Object]) -> Option<Step> {
    let names: BTreeSet<ObjectName> = group.iter().map(|object| object.name.clone()).collect();
    let tables: BTreeMap<_, _> =
        queues::these(own.facts, &names).0.into_iter().map(|(name, table)| (name, table.proof)).collect();
    (!tables.is_empty()).then_some(Step::Gate(Gate::Consuming { tables }))
}
