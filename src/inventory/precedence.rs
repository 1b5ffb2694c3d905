//! Settles group depth and the order of a host's variable layers, as Ansible does (pure).
//!
//! The order, weakest first: variables of `all` and then of the other groups in inventory files; `group_vars/all` of every
//! directory; the other groups' `group_vars/`, directory by directory; the host's own; `host_vars/`. Groups go by depth,
//! priority and name.
//! (<https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence>)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::tree::{Group, InDirectory, Inventory, Layer};
use crate::problem::{Problem, Span};

/// Groups in groups: what draws them goes down by recursion.
const MAX_DEPTH: usize = 200;

/// Links parents, gathers the ungrouped hosts, and gives every host its layers; a cycle of groups is a problem.
pub(super) fn settle(inventory: &mut Inventory, problems: &mut Vec<Problem>) {
    link(inventory);
    named_as_groups(inventory);
    depths(inventory, problems);
    ungrouped(inventory);
    let mut inherited: BTreeMap<BTreeSet<String>, Vec<Arc<Layer>>> = BTreeMap::new();
    for host in inventory.hosts.values() {
        if !inherited.contains_key(&host.groups) {
            inherited.insert(host.groups.clone(), of_groups(inventory, &host.groups));
        }
    }
    for host in inventory.hosts.values_mut() {
        let inherited = inherited.get(&host.groups).into_iter().flatten();
        host.layers = inherited.chain(host.own.layers()).cloned().collect();
    }
}

fn link(inventory: &mut Inventory) {
    let edges: Vec<(String, String)> = inventory
        .groups
        .iter()
        .flat_map(|(parent, group)| group.children.keys().map(|child| (parent.clone(), child.clone())))
        .collect();
    for (parent, child) in edges {
        inventory.groups.entry(child).or_default().parents.insert(parent);
    }
    let mut orphans = Vec::new();
    for (name, group) in &mut inventory.groups {
        if group.parents.is_empty() && name != "all" {
            group.parents.insert("all".to_owned());
            orphans.push(name.clone());
        }
    }
    let all = inventory.groups.entry("all".to_owned()).or_default();
    for name in orphans {
        all.children.entry(name).or_default();
    }
}

/// A host that only `all` names and a group of the same name: Ansible puts the group, not the host, into `ungrouped`.
fn named_as_groups(inventory: &mut Inventory) {
    let loose = inventory.hosts.iter().filter(|(_, host)| host.groups.iter().all(|group| group == "all"));
    let names = loose.map(|(name, _)| name.as_str()).filter(|name| inventory.groups.contains_key(*name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    for name in names {
        if let Some(group) = inventory.groups.get_mut(&name) {
            group.parents.insert("ungrouped".to_owned());
        }
        inventory.groups.entry("ungrouped".to_owned()).or_default().children.entry(name).or_default();
    }
}

/// Takes groups whose parents are all done, until none is left: what is left over is in a cycle or below one.
fn depths(inventory: &mut Inventory, problems: &mut Vec<Problem>) {
    let mut waiting: BTreeMap<String, usize> =
        inventory.groups.iter().map(|(name, group)| (name.clone(), group.parents.len())).collect();
    let mut below: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, group) in &inventory.groups {
        for parent in &group.parents {
            below.entry(parent.clone()).or_default().push(name.clone());
        }
    }
    let mut ready: Vec<String> =
        waiting.iter().filter(|(_, parents)| **parents == 0).map(|(name, _)| name.clone()).collect();
    while let Some(name) = ready.pop() {
        waiting.remove(&name);
        let depth = inventory.groups.get(&name).map_or(0, |group| group.depth);
        for child in below.remove(&name).unwrap_or_default() {
            if let Some(group) = inventory.groups.get_mut(&child) {
                group.depth = group.depth.max(depth + 1);
            }
            if let Some(parents) = waiting.get_mut(&child) {
                *parents -= 1;
                if *parents == 0 {
                    ready.push(child);
                }
            }
        }
    }
    if let Some((name, group)) = inventory.groups.iter().find(|(_, group)| group.depth > MAX_DEPTH) {
        let message = format!("more than is read: the group `{name}` is over {MAX_DEPTH} groups deep");
        let place = group.parents.iter().find_map(|parent| inventory.groups.get(parent)?.children.get(name)?.as_ref());
        let problem = Problem::new("HW0106", message);
        problems.push(if let Some(span) = place { problem.at(span) } else { problem });
    }
    if let Some((path, span)) = cycle(inventory, &waiting) {
        let message = format!("groups contain each other: {path}");
        let problem = Problem::new("HW0113", message).hint("take one of them out of the other's `children`");
        problems.push(if let Some(span) = span { problem.at(&span) } else { problem });
    }
}

/// Walks up from a group that is left over until one comes again.
fn cycle(inventory: &Inventory, left: &BTreeMap<String, usize>) -> Option<(String, Option<Span>)> {
    let mut walked: Vec<&str> = vec![left.keys().next()?];
    loop {
        let last = walked.last().and_then(|name| inventory.groups.get(*name))?;
        let up = last.parents.iter().find(|parent| left.contains_key(*parent))?;
        if let Some(first) = walked.iter().position(|name| name == up) {
            let mut names: Vec<&str> = walked.get(first..)?.to_vec();
            names.reverse();
            let span =
                inventory.groups.get(up).and_then(|group| group.children.get(*walked.last()?)).cloned().flatten();
            let path = names.iter().chain(names.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>();
            return Some((path.join(" > "), span));
        }
        walked.push(up);
    }
}

/// A host is ungrouped while only `all` names it; those that were written under `ungrouped` come first.
fn ungrouped(inventory: &mut Inventory) {
    let mut loose = std::mem::take(&mut inventory.groups.entry("ungrouped".to_owned()).or_default().hosts);
    for (name, host) in &mut inventory.hosts {
        if inventory.groups.contains_key(name.as_str()) && !host.groups.contains("ungrouped") {
            continue;
        }
        if host.groups.iter().all(|group| group == "all" || group == "ungrouped") {
            host.groups.insert("ungrouped".to_owned());
            loose.insert(name.clone());
        } else {
            host.groups.remove("ungrouped");
        }
    }
    loose.retain(|name| inventory.hosts.get(name).is_some_and(|host| host.groups.contains("ungrouped")));
    inventory.groups.entry("ungrouped".to_owned()).or_default().hosts = loose;
}

/// The layers that hosts of these groups inherit, weakest first.
fn of_groups(inventory: &Inventory, groups: &BTreeSet<String>) -> Vec<Arc<Layer>> {
    let mut groups = ancestors(inventory, groups);
    groups.sort_by_key(|(name, group)| (*name != "all", group.depth, group.priority, *name));
    let (all, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(name, _)| *name == "all");
    let inline = all.iter().chain(&others).flat_map(|(_, group)| &group.inline);
    let files = by_directory(&all).into_iter().chain(by_directory(&others));
    inline.chain(files).cloned().collect()
}

/// The groups' files, the directories one after the other.
fn by_directory<'a>(groups: &[(&str, &'a Group)]) -> Vec<&'a Arc<Layer>> {
    let mut files: Vec<&InDirectory> = groups.iter().flat_map(|(_, group)| &group.files).collect();
    files.sort_by_key(|file| file.directory);
    files.into_iter().map(|file| &file.layer).collect()
}

fn ancestors<'a>(inventory: &'a Inventory, groups: &BTreeSet<String>) -> Vec<(&'a str, &'a Group)> {
    let mut found: BTreeMap<&str, &Group> = BTreeMap::new();
    let mut open: Vec<&str> = groups.iter().map(String::as_str).chain(["all"]).collect();
    while let Some(name) = open.pop() {
        if let Some((name, group)) =
            inventory.groups.get_key_value(name).filter(|(name, _)| !found.contains_key(name.as_str()))
        {
            found.insert(name, group);
            open.extend(group.parents.iter().map(String::as_str));
        }
    }
    found.into_iter().collect()
}
