//! What is declared against the schema and the servers' configuration (pure).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::assign::is_replicated;
use super::spec::{BACKUP, BACKUP_TABLES, Backup, Place, declared};
use crate::fleet::{Fleet, Host, Placement, Reach, RoleName, place};
use crate::inventory::Inventory;
use crate::problem::{Problem, near_name};
use crate::schema::{Object, ObjectKind};

/// A table to back up that the role's schema does not have, or whose name no script can hold.
const NO_TABLE: &str = "HW0330";
/// A table to back up that keeps no rows of its own.
const NO_ROWS: &str = "HW0331";
/// `backup` names no place, or one that the host does not have.
const NO_PLACE: &str = "HW0332";
/// Tables to back up, and nothing says where to (note).
const NO_DESTINATION: &str = "HW0333";
/// A replicated table that nothing backs up (note).
const LEFT_OUT: &str = "HW0334";

/// Checks every storage host; what many hosts have alike is told once.
#[must_use]
pub fn check(inventory: &Inventory, fleet: &Fleet, objects: &BTreeMap<RoleName, Vec<Object>>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let stores = |host: &&Host| matches!(host.placement, Placement::Storage { .. }) && host.reach != Reach::Member;
    for host in fleet.hosts.values().filter(stores) {
        let objects = objects.get(&host.role).map(Vec::as_slice).unwrap_or_default();
        let tables = tables(host, objects).into_iter().map(|problem| (BACKUP_TABLES, problem));
        for (variable, problem) in tables.chain(destination(host)) {
            let problem = match place(inventory, &host.name, variable) {
                Some(span) => problem.at(span),
                None => problem,
            };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems.extend(left_out(fleet, objects));
    problems
}

fn tables(host: &Host, objects: &[Object]) -> Vec<Problem> {
    let known: Vec<String> = objects.iter().map(|object| object.name.to_string()).collect();
    let problem = |(text, name): (String, Option<_>)| {
        let Some(name) = name else {
            let message = format!("`{BACKUP_TABLES}` names `{text}`, which is no table's name");
            let hint = "write `database.table`, of letters, digits and `_`";
            return Some(Problem::new(NO_TABLE, message).hint(hint));
        };
        let Some(object) = objects.iter().find(|object| object.name == name) else {
            let message = format!("`{BACKUP_TABLES}` names `{text}`, which role `{}` does not have", host.role);
            let problem = Problem::new(NO_TABLE, message);
            return Some(match near_name(&name.to_string(), known.iter().map(String::as_str)) {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        };
        let keeps = object.kind == ObjectKind::Table && object.engine_name().ends_with("MergeTree");
        let message = format!("`{BACKUP_TABLES}` names `{text}`, a {} (`{}`)", object.kind, object.engine_name());
        let hint = "a backup of it would hold no rows: name the table that keeps them";
        (!keeps).then(|| Problem::new(NO_ROWS, message).hint(hint))
    };
    declared(host).into_iter().filter_map(problem).collect()
}

fn destination(host: &Host) -> Option<(&'static str, Problem)> {
    let written = host.vars.get(BACKUP).filter(|value| !value.is_null());
    let has = |variable: &str, name: &str| {
        host.vars.get(variable).and_then(Value::as_object).is_some_and(|map| map.contains_key(name))
    };
    match (written, Backup::of(host)) {
        (None, _) if declared(host).is_empty() => None,
        (None, _) => {
            let message =
                format!("role `{}` has `{BACKUP_TABLES}`, and no `{BACKUP}`: nothing is backed up", host.role);
            let problem = Problem::note(NO_DESTINATION, message);
            Some((BACKUP_TABLES, problem.hint("`backup: { disk: NAME }`, or `s3`, says where to")))
        }
        (Some(_), None) => {
            let message = format!("`{BACKUP}` of role `{}` must have exactly one place", host.role);
            Some((
                BACKUP,
                Problem::new(NO_PLACE, message).hint("`disk: NAME`, `s3: { collection: NAME }` or `s3: { url: URL }`"),
            ))
        }
        (Some(_), Some(backup)) => match backup.place {
            Place::Disk(disk) if !has("clickhouse_disks", &disk) => {
                let message = format!("`{BACKUP}` goes to the disk `{disk}`, which role `{}` does not have", host.role);
                Some((BACKUP, Problem::new(NO_PLACE, message).hint("add it to `clickhouse_disks`")))
            }
            Place::Collection(name) if !has("clickhouse_named_collections", &name) => {
                let message =
                    format!("`{BACKUP}` goes to the collection `{name}`, which role `{}` does not have", host.role);
                Some((BACKUP, Problem::new(NO_PLACE, message).hint("add it to `clickhouse_named_collections`")))
            }
            _ => None,
        },
    }
}

/// Who declares backups may have forgotten a table; who declares none does not want any.
fn left_out(fleet: &Fleet, objects: &BTreeMap<RoleName, Vec<Object>>) -> Vec<Problem> {
    let mut notes = Vec::new();
    for (role, objects) in objects {
        let hosts = || fleet.hosts.values().filter(|host| host.role == *role && host.reach != Reach::Member);
        let named: BTreeSet<_> = hosts().flat_map(declared).filter_map(|(_, name)| name).collect();
        for object in objects.iter().filter(|object| !named.is_empty() && is_replicated(object.engine_name())) {
            if object.kind == ObjectKind::Table && !named.contains(&object.name) {
                let message = format!("nothing backs up the replicated table `{}` of role `{role}`", object.name);
                let hint = format!("add it to `{BACKUP_TABLES}`, if its rows are worth it");
                notes.push(Problem::note(LEFT_OUT, message).at(&object.span).hint(hint));
            }
        }
    }
    notes
}
