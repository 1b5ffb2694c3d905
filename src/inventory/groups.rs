//! Puts documents together into an [`Inventory`] with Ansible's groups and names (pure).
//!
//! Ranges share one layer of variables, so that a thousand hosts of one line cost one line.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::fields::{Codes, Fields};
use super::node::{Entry, Node, NodeValue};
use super::tree::{Group, HostLayers, InDirectory, Inventory, InventoryHost, Layer, Owner};
use super::{Documents, Written, precedence, ranges};
use crate::fleet::HostName;
use crate::problem::{Problem, Span, near_name};
use crate::vocabulary::GROUP;

/// More hosts than ClickHouse fleets have, few enough to hold.
const MAX_HOSTS: usize = 200_000;

const CODES: Codes = Codes { wrong: "HW0109", unknown: "HW0110", missing: "HW0109" };

impl Inventory {
    /// Puts documents together; every problem of every document is added to `problems`.
    #[must_use]
    pub fn assemble(documents: &Documents, problems: &mut Vec<Problem>) -> Self {
        let mut assembly = Assembly { inventory: Self::default(), problems };
        assembly.declare("all").children.insert("ungrouped".to_owned(), None);
        assembly.declare("ungrouped");
        for document in &documents.inventories {
            match document {
                Written::Yaml(document) => assembly.document(document),
                Written::Ini(document) => assembly.ini(document),
            }
        }
        for (directory, files) in documents.vars.iter().enumerate() {
            assembly.group_files(directory, &files.groups);
            assembly.host_files(directory, &files.hosts);
        }
        assembly.shared_names();
        let mut inventory = assembly.inventory;
        precedence::settle(&mut inventory, problems);
        inventory
    }
}

/// The inventory while its documents are put together: groups and hosts come into being in the order of the documents.
pub(super) struct Assembly<'p> {
    pub(super) inventory: Inventory,
    pub(super) problems: &'p mut Vec<Problem>,
}

/// What documents of either form say.
impl Assembly<'_> {
    /// The group, which exists from now on.
    pub(super) fn declare(&mut self, name: &str) -> &mut Group {
        self.inventory.groups.entry(name.to_owned()).or_default()
    }

    /// Puts a group that exists into another.
    pub(super) fn child(&mut self, parent: &str, child: &str, span: &Span) {
        self.declare(parent).children.entry(child.to_owned()).or_insert_with(|| Some(span.clone()));
    }

    /// Gives a group variables.
    pub(super) fn group_vars(&mut self, name: &str, entries: &[Entry]) {
        let mut layer = Layer::new(Owner::Group(name.to_owned()), entries);
        // Ansible takes the priority out of the variables, and only where the group is written, not from group_vars/.
        if let Some(priority) = layer.vars.remove("ansible_group_priority") {
            let node = &priority.value;
            if let Some(number) = node.whole_number() {
                self.declare(name).priority = number;
            } else {
                let message = format!("`ansible_group_priority` must be a whole number, not {}", node.describe());
                self.problems.push(Problem::new("HW0109", message).at(&node.span));
            }
        }
        self.declare(name).inline.push(Arc::new(layer));
    }

    /// Puts the hosts of a pattern, `data-[1:3]:2222`, into a group that exists, and gives them variables.
    pub(super) fn hosts(&mut self, group: &str, pattern: &str, span: &Span, vars: &[Entry]) {
        let (names, port) = match self::hosts(pattern) {
            Ok(hosts) => hosts,
            Err(why) => {
                let message = format!("`{pattern}` is not a host: {why}");
                self.problems.push(Problem::new("HW0111", message).at(span));
                return;
            }
        };
        let port = port.map(|port| {
            let key = "ansible_port".to_owned();
            let value = Node { span: span.clone(), value: NodeValue::Number(port.into()) };
            Arc::new(Layer::new(Owner::Host(pattern.to_owned()), &[Entry { key, key_span: span.clone(), value }]))
        });
        let layer = (!vars.is_empty()).then(|| Arc::new(Layer::new(Owner::Host(pattern.to_owned()), vars)));
        for name in names {
            self.host(group, &name, span, port.as_ref(), layer.as_ref());
        }
    }

    fn host(&mut self, group: &str, name: &str, span: &Span, port: Option<&Arc<Layer>>, vars: Option<&Arc<Layer>>) {
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
        self.declare(group).hosts.insert(name.clone());
        let host = self.inventory.hosts.entry(name.clone()).or_insert_with(|| InventoryHost {
            span: span.clone(),
            groups: BTreeSet::new(),
            // Ansible hears of a port only where it first hears of the host.
            own: HostLayers { inline: port.cloned().into_iter().collect(), files: Vec::new() },
            layers: Vec::new(),
        });
        host.groups.insert(group.to_owned());
        let Some(vars) = vars else { return };
        // Ansible looks for a group of the name first.
        match self.inventory.groups.get_mut(name.as_str()) {
            Some(group) => group.inline.push(Arc::clone(vars)),
            None => host.own.inline.push(Arc::clone(vars)),
        }
    }
}

/// The names of a host pattern, and the port behind it.
fn hosts(pattern: &str) -> Result<(Vec<String>, Option<u16>), String> {
    let (pattern, port) = ranges::split_port(pattern)?;
    Ok((ranges::expand(pattern)?, port))
}

/// Documents in YAML.
impl Assembly<'_> {
    fn document(&mut self, root: &Node) {
        match &root.value {
            NodeValue::Null => {}
            NodeValue::Map(_) if root.get("plugin").is_some_and(|name| name.text().is_some()) => {
                let message = "this file is for an inventory plugin of Ansible's, and plugins are not run";
                let hint = "`ansible-inventory --list --yaml` prints what it finds; a file for EC2 is called `NAME.aws_ec2.yml`";
                self.problems.push(Problem::new("HW0128", message).at(&root.span).hint(hint));
            }
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
        if name.is_empty() {
            self.problems.push(Problem::new("HW0112", "a group without a name").at(span));
            return;
        }
        self.declare(name);
        let keys: Vec<&str> = GROUP.names().collect();
        let fields = Fields::open(node, format!("group `{name}`"), &keys, CODES, self.problems);
        if fields.is_none() {
            return;
        }
        for entry in node.entries().unwrap_or_default() {
            match entry.key.as_str() {
                "vars" => {
                    let vars = self.section(name, entry).into_owned();
                    self.group_vars(name, &vars);
                }
                "children" => {
                    for child in self.section(name, entry).iter() {
                        self.group(&child.key, &child.key_span, &child.value);
                        if self.inventory.groups.contains_key(&child.key) {
                            self.child(name, &child.key, &child.key_span);
                        }
                    }
                }
                "hosts" => {
                    for host in self.section(name, entry).iter() {
                        let vars = self.vars(&host.value);
                        self.hosts(name, &host.key, &host.key_span, vars);
                    }
                }
                _ => {}
            }
        }
    }

    /// A section is a mapping; a single name may stand in its place.
    fn section<'n>(&mut self, group: &str, section: &'n Entry) -> Cow<'n, [Entry]> {
        let node = &section.value;
        match &node.value {
            NodeValue::Null => Cow::Borrowed(&[]),
            NodeValue::Map(entries) => Cow::Borrowed(entries),
            NodeValue::Text(name) => {
                let value = Node { span: node.span.clone(), value: NodeValue::Null };
                Cow::Owned(vec![Entry { key: name.clone(), key_span: node.span.clone(), value }])
            }
            _ => {
                let message =
                    format!("`{}` of group `{group}` must be a mapping, not {}", section.key, node.describe());
                let problem = Problem::new("HW0109", message).at(&node.span);
                self.problems.push(problem.hint("write each name with a colon behind it, one a line"));
                Cow::Borrowed(&[])
            }
        }
    }

    fn vars<'n>(&mut self, node: &'n Node) -> &'n [Entry] {
        match &node.value {
            NodeValue::Null => &[],
            NodeValue::Map(entries) => entries,
            _ => {
                let message = format!("variables are a mapping, not {}", node.describe());
                self.problems.push(Problem::new("HW0109", message).at(&node.span));
                &[]
            }
        }
    }
}

/// Names and files of variables.
impl Assembly<'_> {
    /// Ansible only warns, and gives the host's variables to the group.
    fn shared_names(&mut self) {
        for (name, host) in &self.inventory.hosts {
            if self.inventory.groups.contains_key(name.as_str()) {
                let message = format!("both a host and a group are called `{name}`");
                let hint = "variables beside the host's name are the group's: rename one of the two";
                self.problems.push(Problem::note("HW0126", message).at(&host.span).hint(hint));
            }
        }
    }

    fn group_files(&mut self, directory: usize, files: &[(String, Node)]) {
        for (name, node) in files {
            let layer = Arc::new(Layer::new(Owner::Group(name.clone()), self.vars(node)));
            if let Some(group) = self.inventory.groups.get_mut(name) {
                group.files.push(InDirectory { directory, layer });
            } else {
                let mut note = Problem::note("HW0116", format!("variables for a group that does not exist: `{name}`"));
                note.hint = near_name(name, self.inventory.groups.keys().map(String::as_str));
                self.problems.push(note.at(&node.span));
            }
        }
    }

    fn host_files(&mut self, directory: usize, files: &[(String, Node)]) {
        for (name, node) in files {
            let layer = Arc::new(Layer::new(Owner::Host(name.clone()), self.vars(node)));
            let host = HostName::new(name.as_str()).ok().and_then(|host| self.inventory.hosts.get_mut(&host));
            if let Some(host) = host {
                host.own.files.push(InDirectory { directory, layer });
            } else {
                let mut note = Problem::note("HW0116", format!("variables for a host that does not exist: `{name}`"));
                note.hint = near_name(name, self.inventory.hosts.keys().map(HostName::as_str));
                self.problems.push(note.at(&node.span));
            }
        }
    }
}
