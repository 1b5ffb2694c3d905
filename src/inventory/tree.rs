//! Hosts, groups and the layers of variables that a host has, lowest precedence first (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::node::{Entry, Node};
use crate::fleet::HostName;
use crate::problem::Span;

/// What the operator wrote about hosts, with groups and precedence worked out.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Every host, by name.
    pub hosts: BTreeMap<HostName, InventoryHost>,
    /// Every group, by name; `all` and `ungrouped` are always there.
    pub groups: BTreeMap<String, Group>,
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
    /// Written in `host_vars/`.
    pub files: Vec<Arc<Layer>>,
}

/// A group of the inventory.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Groups in it, with the place that says so.
    pub children: BTreeMap<String, Span>,
    /// Groups that it is in.
    pub parents: BTreeSet<String>,
    /// Hosts that it names itself.
    pub hosts: BTreeSet<HostName>,
    /// Steps from `all` by the longest way.
    pub depth: usize,
    /// `ansible_group_priority`: orders groups of the same depth.
    pub priority: i64,
    /// Written in the inventory file.
    pub inline: Vec<Arc<Layer>>,
    /// Written in `group_vars/`.
    pub files: Vec<Arc<Layer>>,
}

/// The variables that one place gives to one group or host.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Who has them.
    pub owner: Owner,
    /// The variables, by name.
    pub vars: BTreeMap<String, Entry>,
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
    /// Every host of a group and of the groups in it.
    #[must_use]
    pub fn hosts_of(&self, group: &str) -> BTreeSet<HostName> {
        if group == "all" {
            return self.hosts.keys().cloned().collect();
        }
        let (mut hosts, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![group]);
        while let Some(name) = open.pop() {
            let Some(group) = self.groups.get(name).filter(|_| seen.insert(name)) else { continue };
            hosts.extend(group.hosts.iter().cloned());
            open.extend(group.children.keys().map(String::as_str));
        }
        hosts
    }

    /// A variable of the group `all`.
    #[must_use]
    pub fn var_of_all(&self, name: &str) -> Option<&Node> {
        let all = self.groups.get("all")?;
        all.inline.iter().chain(&all.files).rev().find_map(|layer| layer.vars.get(name)).map(|entry| &entry.value)
    }

    /// Every layer once, whoever has it.
    pub fn layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        let groups = self.groups.values().flat_map(|group| group.inline.iter().chain(&group.files));
        groups.chain(self.hosts.values().flat_map(|host| host.own.inline.iter().chain(&host.own.files)))
    }
}
