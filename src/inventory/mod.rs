//! What the operator wrote about hosts: documents with spans, groups, variables, patterns (pure; `load` reads the disk).

pub mod data;
pub mod fields;
mod groups;
mod groups_ini;
pub mod ini;
mod listing;
mod literal;
pub mod load;
mod node;
mod number;
pub mod pattern;
mod precedence;
pub mod ranges;
mod scalar;
mod tree;
pub mod vaulted;
pub mod yaml;

pub use node::{Entry, Node, NodeValue};
pub use tree::{Group, HostLayers, InDirectory, Inventory, InventoryHost, Layer, Owner};

/// The parsed documents of an inventory, before they are put together.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Inventory files in the order in which Ansible reads them.
    pub inventories: Vec<Written>,
    /// The directories that hold `group_vars/` and `host_vars/`, the stronger ones later: the inventory's, the project's.
    pub vars: Vec<VarsFiles>,
    /// `*.aws_ec2.yml`: where to discover more hosts.
    pub discovery: Vec<DiscoveryFile>,
}

/// A file that says where to discover more hosts.
#[derive(Debug, Clone)]
pub struct DiscoveryFile {
    /// What it says.
    pub node: Node,
    /// How many inventory files come before it.
    pub position: usize,
}

/// What stands in the `group_vars/` and `host_vars/` of one directory.
#[derive(Debug, Clone, Default)]
pub struct VarsFiles {
    /// Group and document, several where the group has a directory.
    pub groups: Vec<(String, Node)>,
    /// Host and document.
    pub hosts: Vec<(String, Node)>,
}

/// One inventory file, as it was written.
#[derive(Debug, Clone)]
pub enum Written {
    /// YAML or JSON.
    Yaml(Node),
    /// INI.
    Ini(ini::Document),
}
