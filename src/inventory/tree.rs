//! Hosts, groups and the layers of variables that a host has, lowest precedence first (pure).
//!
//! Hosts, groups, children and members keep the order in which they were written: Ansible lists them so, and slices of
//! groups count in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::node::{Entry, Node};
use crate::fleet::HostName;
use crate::problem::Span;

/// What the operator wrote about hosts, with groups and precedence worked out.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Every host, by name.
    pub hosts: IndexMap<HostName, InventoryHost>,
    /// Every group, by name; `all` and `ungrouped` are always there.
    pub groups: IndexMap<String, Group>,
}

/// A host of the inventory.
#[derive(Debug, Clone)]
pub struct InventoryHost {
    /// Where it was first written.
    pub span: Span,
    /// Groups that name it themselves.
    pub groups: BTreeSet<String>,
    /// Its variables beside its name, then those of `host_vars/`.
    pub own: HostLayers,
    /// All layers that it has, own and inherited, lowest precedence first.
    pub layers: Vec<Arc<Layer>>,
}

/// The layers that are a host's own.
#[derive(Debug, Clone, Default)]
pub struct HostLayers {
    /// Written in the inventory file.
    pub inline: Vec<Arc<Layer>>,
    /// Written in the `host_vars/` of each directory.
    pub files: Vec<InDirectory>,
}

/// A layer of `group_vars/` or `host_vars/`, and in which of the [directories](super::Documents::vars) it was.
#[derive(Debug, Clone)]
pub struct InDirectory {
    /// The position of the directory; a later one is stronger.
    pub directory: usize,
    /// What it says.
    pub layer: Arc<Layer>,
}

/// A group of the inventory.
#[derive(Debug, Clone)]
pub struct Group {
    /// Groups in it, with the place that says so; `all` holds every group without another parent.
    pub children: IndexMap<String, Option<Span>>,
    /// Groups that it is in.
    pub parents: BTreeSet<String>,
    /// Hosts that it names itself.
    pub hosts: IndexSet<HostName>,
    /// Steps from `all` by the longest way.
    pub depth: usize,
    /// `ansible_group_priority`: orders groups of the same depth.
    pub priority: i64,
    /// Written in the inventory file.
    pub inline: Vec<Arc<Layer>>,
    /// Written in the `group_vars/` of each directory.
    pub files: Vec<InDirectory>,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            children: IndexMap::new(),
            parents: BTreeSet::new(),
            hosts: IndexSet::new(),
            depth: 0,
            // Ansible's default: a group that says 0 gives way to one that says nothing.
            priority: 1,
            inline: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// The variables that one place gives to one group or host.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Who has them.
    pub owner: Owner,
    /// The variables, by name.
    pub vars: BTreeMap<String, Entry>,
}

impl Layer {
    /// Makes a layer; of entries with the same name the last one counts.
    #[must_use]
    pub fn new(owner: Owner, entries: &[Entry]) -> Self {
        Self { owner, vars: entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect() }
    }
}

/// Who has a layer of variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A group.
    Group(String),
    /// A host, or the hosts of a range.
    Host(String),
}

impl InventoryHost {
    /// The definition of a variable that wins.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&Entry> {
        self.layers.iter().rev().find_map(|layer| layer.vars.get(name))
    }

    /// Every definition of a variable, lowest precedence first: the last one wins.
    #[must_use]
    pub fn definitions(&self, name: &str) -> Vec<(&Owner, &Entry)> {
        self.layers.iter().filter_map(|layer| Some((&layer.owner, layer.vars.get(name)?))).collect()
    }

    /// All variables, each with the definition that wins.
    #[must_use]
    pub fn vars(&self) -> BTreeMap<&str, &Entry> {
        self.layers.iter().flat_map(|layer| &layer.vars).map(|(name, entry)| (name.as_str(), entry)).collect()
    }
}

impl Inventory {
    /// Every host of a group and of the groups in it, in Ansible's order: its own, then those of its children, level by level.
    #[must_use]
    pub fn hosts_of(&self, group: &str) -> IndexSet<HostName> {
        let (mut hosts, mut seen, mut level) = (IndexSet::new(), BTreeSet::from([group]), vec![group]);
        while !level.is_empty() {
            let groups = level.iter().filter_map(|name| self.groups.get(*name));
            let mut below = Vec::new();
            for group in groups {
                hosts.extend(group.hosts.iter().cloned());
                below.extend(group.children.keys().map(String::as_str).filter(|name| seen.insert(name)));
            }
            level = below;
        }
        hosts
    }

    /// The layers of the group `all`, lowest precedence first.
    #[must_use]
    pub fn layers_of_all(&self) -> Vec<Arc<Layer>> {
        self.groups.get("all").into_iter().flat_map(Group::layers).cloned().collect()
    }

    /// A variable of the group `all`.
    #[must_use]
    pub fn var_of_all(&self, name: &str) -> Option<&Node> {
        let layers: Vec<&Arc<Layer>> = self.groups.get("all")?.layers().collect();
        layers.iter().rev().find_map(|layer| layer.vars.get(name)).map(|entry| &entry.value)
    }

    /// Every layer once, whoever has it.
    pub fn layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.groups.values().flat_map(Group::layers).chain(self.hosts.values().flat_map(|host| host.own.layers()))
    }
}

impl Group {
    /// Its own layers, lowest precedence first.
    fn layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.inline.iter().chain(self.files.iter().map(|file| &file.layer))
    }
}

impl HostLayers {
    /// Its layers, lowest precedence first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.inline.iter().chain(self.files.iter().map(|file| &file.layer))
    }
}
