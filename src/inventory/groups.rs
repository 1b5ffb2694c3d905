//! Puts documents together into an [`Inventory`] with Ansible's groups and names (pure).
//!
//! Ranges share one layer of variables, so that a thousand hosts of one line cost one line.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fields::{Codes, Fields};
use super::node::{Entry, Node, NodeValue};
use super::tree::{Group, HostLayers, Inventory, InventoryHost, Layer, Owner};
use super::{Documents, Written, precedence, ranges};
use crate::fleet::HostName;
use crate::problem::{Problem, Span, near_name};

/// More hosts than ClickHouse fleets have, few enough to hold.
const MAX_HOSTS: usize = 200_000;

const CODES: Codes = Codes { wrong: "HW0109", unknown: "HW0110", missing: "HW0109" };

impl Inventory {
    /// Puts documents together; every problem of every document is added to `problems`.
    #[must_use]
    pub fn assemble(documents: &Documents, problems: &mut Vec<Problem>) -> Self {
        let mut assembly = Assembly { inventory: Self::default(), problems };
        for name in ["all", "ungrouped"] {
            assembly.inventory.groups.insert(name.to_owned(), Group::default());
        }
        for document in &documents.inventories {
            match document {
                Written::Yaml(document) => assembly.document(document),
                Written::Ini(document) => assembly.ini(document),
            }
        }
        assembly.group_files(&documents.group_vars);
        assembly.host_files(&documents.host_vars);
        let mut inventory = assembly.inventory;
        precedence::settle(&mut inventory, problems);
        inventory
    }
}

pub(super) struct Assembly<'p> {
    pub(super) inventory: Inventory,
    pub(super) problems: &'p mut Vec<Problem>,
}

impl Assembly<'_> {
    fn document(&mut self, root: &Node) {
        match &root.value {
            NodeValue::Null => {}
            NodeValue::Map(groups) => {
                groups.iter().for_each(|entry| self.group(&entry.key, &entry.key_span, &entry.value));
            }
            _ => {
                let message = format!("an inventory is a mapping of groups, not {}", root.describe());
                self.problems.push(Problem::new("HW0109", message).at(&root.span));
            }
        }
    }

    fn group(&mut self, name: &str, span: &Span, node: &Node) {
        let allowed = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            let message = format!("`{name}` is not a group name: letters, digits, `_`, `-` and `.`");
            self.problems.push(Problem::new("HW0112", message).at(span));
            return;
        }
        self.inventory.groups.entry(name.to_owned()).or_default();
        let what = format!("group `{name}`");
        let Some(fields) = Fields::open(node, what, &["hosts", "children", "vars"], CODES, self.problems) else {
            return;
        };
        let (hosts, children, vars) = (fields.get("hosts"), fields.get("children"), fields.get("vars"));
        for entry in hosts.map(|node| self.section(name, "hosts", node)).unwrap_or_default().iter() {
            self.hosts(name, entry);
        }
        for child in children.map(|node| self.section(name, "children", node)).unwrap_or_default().iter() {
            self.group(&child.key, &child.key_span, &child.value);
            if !self.inventory.groups.contains_key(&child.key) {
                continue;
            }
            let group = self.inventory.groups.entry(name.to_owned()).or_default();
            group.children.entry(child.key.clone()).or_insert_with(|| child.key_span.clone());
        }
        if let Some(vars) = vars {
            self.group_vars(name, vars);
        }
    }

    /// A section is a mapping; a single name may stand in its place.
    fn section<'n>(&mut self, group: &str, section: &str, node: &'n Node) -> Cow<'n, [Entry]> {
        match &node.value {
            NodeValue::Map(entries) => Cow::Borrowed(entries),
            NodeValue::Text(name) => {
                let value = Node { span: node.span.clone(), value: NodeValue::Null };
                Cow::Owned(vec![Entry { key: name.clone(), key_span: node.span.clone(), value }])
            }
            _ => {
                let message = format!("`{section}` of group `{group}` must be a mapping, not {}", node.describe());
                let problem = Problem::new("HW0109", message).at(&node.span);
                self.problems.push(problem.hint("write each name with a colon behind it, one a line"));
                Cow::Borrowed(&[])
            }
        }
    }

    pub(super) fn group_vars(&mut self, name: &str, node: &Node) {
        let Some(mut layer) = self.layer(Owner::Group(name.to_owned()), node) else { return };
        // Ansible takes the priority out of the variables, and only where the group is written, not from group_vars/.
        let priority = layer.vars.remove("ansible_group_priority");
        let group = self.inventory.groups.entry(name.to_owned()).or_default();
        if let Some(priority) = priority {
            match &priority.value.value {
                NodeValue::Number(number) if number.is_i64() => group.priority = number.as_i64().unwrap_or_default(),
                _ => {
                    let message = "`ansible_group_priority` must be a whole number";
                    self.problems.push(Problem::new("HW0109", message).at(&priority.value.span));
                }
            }
        }
        group.inline.push(Arc::new(layer));
    }

    pub(super) fn hosts(&mut self, group: &str, entry: &Entry) {
        let (pattern, port) = ranges::split_port(&entry.key);
        let names = match ranges::expand(pattern) {
            Ok(names) => names,
            Err(why) => {
                let message = format!("`{}` is not a host: {why}", entry.key);
                self.problems.push(Problem::new("HW0111", message).at(&entry.key_span));
                return;
            }
        };
        let mut layer = self.layer(Owner::Host(entry.key.clone()), &entry.value);
        if let (Some(port), Some(layer)) = (port, &mut layer) {
            let value = Node { span: entry.key_span.clone(), value: NodeValue::Number(port.into()) };
            let key = "ansible_port".to_owned();
            layer.vars.entry(key.clone()).or_insert(Entry { key, key_span: entry.key_span.clone(), value });
        }
        let layer = layer.filter(|layer| !layer.vars.is_empty()).map(Arc::new);
        for name in names {
            self.host(group, &name, &entry.key_span, layer.as_ref());
        }
    }

    fn host(&mut self, group: &str, name: &str, span: &Span, layer: Option<&Arc<Layer>>) {
        let name = match HostName::new(name) {
            Ok(name) => name,
            Err(error) => return self.problems.push(Problem::new("HW0112", error.to_string()).at(span)),
        };
        if self.inventory.hosts.len() >= MAX_HOSTS {
            if !self.problems.iter().any(|problem| problem.code == "HW0106") {
                let message = format!("more than is read: over {MAX_HOSTS} hosts");
                self.problems.push(Problem::new("HW0106", message).at(span));
            }
            return;
        }
        let host = self.inventory.hosts.entry(name.clone()).or_insert_with(|| InventoryHost {
            span: span.clone(),
            groups: BTreeSet::new(),
            own: HostLayers::default(),
            layers: Vec::new(),
        });
        host.groups.insert(group.to_owned());
        host.own.inline.extend(layer.cloned());
        self.inventory.groups.entry(group.to_owned()).or_default().hosts.insert(name);
    }

    fn group_files(&mut self, files: &[(String, Node)]) {
        for (name, node) in files {
            let Some(layer) = self.layer(Owner::Group(name.clone()), node) else { continue };
            if let Some(group) = self.inventory.groups.get_mut(name) {
                group.files.push(Arc::new(layer));
            } else {
                let mut note = Problem::note("HW0116", format!("variables for a group that does not exist: `{name}`"));
                note.hint = near_name(name, self.inventory.groups.keys().map(String::as_str));
                self.problems.push(note.at(&node.span));
            }
        }
    }

    fn host_files(&mut self, files: &[(String, Node)]) {
        for (name, node) in files {
            let Some(layer) = self.layer(Owner::Host(name.clone()), node) else { continue };
            let host = HostName::new(name.as_str()).ok().and_then(|host| self.inventory.hosts.get_mut(&host));
            if let Some(host) = host {
                host.own.files.push(Arc::new(layer));
            } else {
                let mut note = Problem::note("HW0116", format!("variables for a host that does not exist: `{name}`"));
                note.hint = near_name(name, self.inventory.hosts.keys().map(HostName::as_str));
                self.problems.push(note.at(&node.span));
            }
        }
    }

    fn layer(&mut self, owner: Owner, node: &Node) -> Option<Layer> {
        let entries = match &node.value {
            NodeValue::Null => &[],
            NodeValue::Map(entries) => entries.as_slice(),
            _ => {
                let message = format!("variables are a mapping, not {}", node.describe());
                self.problems.push(Problem::new("HW0109", message).at(&node.span));
                return None;
            }
        };
        let vars: BTreeMap<_, _> = entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect();
        Some(Layer { owner, vars })
    }
}
