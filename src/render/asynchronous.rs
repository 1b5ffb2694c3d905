//! Stateless hosts whose Distributed tables spool rows that Kafka was told are stored (pure).
//!
//! A consumer commits when its view has written. With `distributed_foreground_insert` 0, the server's default, a
//! Distributed table has then written to the host's own disk only, and the host may go with it
//! ([the setting](https://clickhouse.com/docs/operations/settings/settings#distributed_foreground_insert)).

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use super::{Desired, effective};
use crate::fleet::{Fleet, HostName, Placement, RoleName};
use crate::problem::Problem;
use crate::schema::{Object, ObjectKind, ObjectName, Remote, code};

/// Its name, and the one that it had before 23.8.
const SETTING: [&str; 2] = ["distributed_foreground_insert", "insert_distributed_sync"];

/// One note for each table of a role.
#[must_use]
pub fn asynchronous(
    fleet: &Fleet,
    objects: &BTreeMap<RoleName, Vec<Object>>,
    desired: &BTreeMap<HostName, Desired>,
) -> Vec<Problem> {
    let mut notes = Vec::new();
    for (role, objects) in objects {
        let Some(table) = objects.iter().find(|table| Remote::of(table).is_some() && is_fed(objects, table)) else {
            continue;
        };
        let of_role = fleet.hosts.values().filter(|host| host.role == *role && host.placement == Placement::Stateless);
        let spools = |name: &&HostName| desired.get(*name).is_some_and(|desired| !writes_through(desired));
        let hosts: BTreeSet<&HostName> = of_role.map(|host| &host.name).filter(spools).collect();
        let Some(first) = hosts.first() else { continue };
        let message = format!(
            "table `{}` of the stateless role `{role}` only spools rows to the disk of {} hosts, `{first}` among them: a host that is lost takes committed rows with it",
            table.name,
            hosts.len()
        );
        let hint = format!("set `{}` to 1 in the profile `default`", SETTING[0]);
        notes.push(Problem::note(code::ASYNCHRONOUS_INSERTS, message).at(&table.span).hint(hint));
    }
    notes
}

/// Whether a view writes into it what it takes out of a queue.
fn is_fed(objects: &[Object], table: &Object) -> bool {
    let queues: BTreeSet<&ObjectName> =
        objects.iter().filter(|object| object.engine_name() == "Kafka").map(|object| &object.name).collect();
    let feeds = |view: &&Object| {
        view.kind == ObjectKind::MaterializedView
            && view.target.as_ref() == Some(&table.name)
            && view.sources.iter().any(|source| queues.contains(source))
    };
    objects.iter().any(|view| feeds(&view))
}

/// What the host's own files say; a base that nobody rendered may say it too, but no default of the server does.
fn writes_through(desired: &Desired) -> bool {
    let files = effective(desired, &BTreeMap::new());
    // A configuration that cannot be merged is told elsewhere.
    let mut users = files.into_iter().filter_map(Result::ok).filter(|file| file.path.contains("/users."));
    users.any(|file| Document::parse(&file.xml).is_ok_and(|document| profile_says_so(&document)))
}

fn profile_says_so(document: &Document<'_>) -> bool {
    let child = |node: Node<'_, '_>, name: &str| node.children().any(|child| child.has_tag_name(name));
    let profiles = document.descendants().filter(|node| node.has_tag_name("profiles") && child(*node, "default"));
    let defaults = profiles.flat_map(|profiles| profiles.children().filter(|node| node.has_tag_name("default")));
    let settings = defaults.flat_map(|profile| profile.children());
    settings
        .filter(|node| SETTING.iter().any(|name| node.has_tag_name(*name)))
        .any(|node| matches!(node.text().map(str::trim), Some("1" | "true")))
}
