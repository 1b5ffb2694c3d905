//! The variables that Housewright itself reads: their types, and names that look like them (pure).
//!
//! Each place is looked at once, however many hosts inherit it. Other variables are the templates' own.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::RoleName;
use crate::inventory::{Entry, Inventory, Node, NodeValue, Owner};
use crate::problem::{Problem, near_name};
use crate::role::Role;
use crate::secret::look::is_secret_name;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Port,
    Flag,
    List,
    Mapping,
    Replica,
    Reach,
}

/// Sorted by use; a name that is not here is for templates.
const KNOWN: [(&str, Kind); 30] = [
    ("hostClusterRole", Kind::Text),
    ("shard", Kind::Number),
    ("replica", Kind::Replica),
    ("keeper_id", Kind::Number),
    ("zone", Kind::Text),
    ("fqdn", Kind::Text),
    ("raid_volumes", Kind::List),
    ("backup_tables", Kind::List),
    ("clickhouse_disk_balancer_enabled", Kind::Flag),
    ("clickhouse_clusters", Kind::Mapping),
    ("clickhouse_named_collections", Kind::Mapping),
    ("clickhouse_settings", Kind::Mapping),
    ("clickhouse_tcp_port", Kind::Port),
    ("clickhouse_http_port", Kind::Port),
    ("network_namespace", Kind::Text),
    ("housewright_reach", Kind::Reach),
    ("ansible_host", Kind::Text),
    ("ansible_ssh_host", Kind::Text),
    ("ansible_port", Kind::Port),
    ("ansible_ssh_port", Kind::Port),
    ("ansible_user", Kind::Text),
    ("ansible_ssh_user", Kind::Text),
    ("ansible_ssh_private_key_file", Kind::Text),
    ("ansible_private_key_file", Kind::Text),
    ("ansible_ssh_common_args", Kind::Text),
    ("ansible_ssh_extra_args", Kind::Text),
    ("ansible_become", Kind::Flag),
    ("ansible_become_user", Kind::Text),
    ("ansible_become_method", Kind::Text),
    ("ansible_connection", Kind::Text),
];

/// Checks every definition of every variable; a role's own variables are as well known as Housewright's.
pub(super) fn check(inventory: &Inventory, roles: &BTreeMap<RoleName, Role>, problems: &mut Vec<Problem>) {
    let of_roles = roles.values().flat_map(|role| role.vars.keys()).map(String::as_str);
    let names: BTreeSet<&str> = KNOWN.iter().map(|(known, _)| *known).chain(of_roles).collect();
    let (mut unresolved, mut judged): (Option<Problem>, BTreeSet<&str>) = (None, BTreeSet::new());
    for layer in inventory.layers() {
        for (name, entry) in &layer.vars {
            match KNOWN.iter().find(|(known, _)| known == name) {
                Some((_, kind)) => typed(name, *kind, &entry.value, problems),
                None if names.contains(name.as_str()) => {}
                // A thousand hosts with one slip need one note.
                None => {
                    if judged.insert(name) {
                        misspelt(name, entry, &names, problems);
                    }
                }
            }
            if name == "clickhouse_clusters" && layer.owner != Owner::Group("all".to_owned()) {
                let message = "`clickhouse_clusters` is read from the group `all` only: it is the same on every host";
                let problem = Problem::new("HW0319", message).at(&entry.key_span);
                problems.push(problem.hint("move it to `group_vars/all.yml`"));
            }
            if unresolved.is_none() && entry.value.text().is_some_and(|text| text.contains("{{")) {
                let message =
                    "variables that refer to variables are not resolved yet: `{{` reaches the templates as text";
                let note = Problem::note("HW0119", message).at(&entry.value.span);
                unresolved = Some(if is_secret_name(name) { note.hides_value() } else { note });
            }
        }
    }
    problems.extend(unresolved);
}

fn typed(name: &str, kind: Kind, node: &Node, problems: &mut Vec<Problem>) {
    if node.is_null() {
        return;
    }
    if let NodeValue::Secret(reference) = &node.value {
        let message = format!("`{name}` is the secret `{reference}`, but Housewright itself reads it");
        let hint = "write it as a plain value, in a file that is not vaulted";
        problems.push(Problem::new("HW0134", message).at(&node.span).hint(hint));
        return;
    }
    let (fits, expected) = match kind {
        Kind::Text => (node.scalar_text().is_some_and(|text| !text.is_empty()), "a text"),
        Kind::Number => {
            let fits = node.whole().is_some_and(|number| (1..=u64::from(u32::MAX)).contains(&number));
            (fits, "a whole number from 1")
        }
        Kind::Port => (node.port().is_some(), "a port from 1 to 65535"),
        Kind::Flag => (node.flag().is_some(), "true or false"),
        Kind::List => (node.items().is_some(), "a list"),
        Kind::Mapping => (matches!(node.value, NodeValue::Map(_)), "a mapping"),
        // It becomes a part of a path in ZooKeeper.
        Kind::Replica => {
            let allowed = |text: String| !text.is_empty() && !text.contains(|c: char| c == '/' || c.is_control());
            (node.scalar_text().is_some_and(allowed), "a name or a number, without `/`")
        }
        Kind::Reach => (matches!(node.text(), Some("ssh" | "member")), "`ssh` or `member`"),
    };
    if !fits {
        let message = format!("`{name}` must be {expected}, not {}", node.describe());
        problems.push(Problem::new("HW0303", message).at(&node.span));
    }
}

/// A letter or two may be wrong, or only case and underscores: more would be another name.
fn misspelt(name: &str, entry: &Entry, names: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let written = plain(name);
    let same = names.iter().find(|known| plain(known) == written).map(|known| format!("did you mean `{known}`?"));
    let hint = same.or_else(|| {
        let near = names.iter().copied().filter(|known| {
            // A plural is a list of one's own, not a slip.
            let plural = name.strip_suffix('s') == Some(known) || known.strip_suffix('s') == Some(name);
            let allowed = (known.len() / 6).clamp(1, 2);
            !plural && known.len() > 4 && strsim::damerau_levenshtein(name, known) <= allowed
        });
        near_name(name, near)
    });
    if let Some(hint) = hint {
        let message = format!("`{name}` means nothing to Housewright");
        problems.push(Problem::note("HW0310", message).at(&entry.key_span).hint(hint));
    }
}
