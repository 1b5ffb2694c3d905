//! What the operator wrote about hosts: documents with spans, groups, variables, patterns (pure; `load` reads the disk).

pub mod fields;
mod groups;
mod groups_ini;
pub mod ini;
mod literal;
pub mod load;
mod node;
mod number;
pub mod pattern;
mod precedence;
pub mod ranges;
mod scalar;
mod tree;
pub mod yaml;

pub use node::{Entry, Node, NodeValue};
pub use tree::{Group, HostLayers, Inventory, InventoryHost, Layer, Owner};

/// The parsed documents of an inventory directory, before they are put together.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Inventory files in order of name.
    pub inventories: Vec<Written>,
    /// `group_vars/`: group and document, several where the group has a directory.
    pub group_vars: Vec<(String, Node)>,
    /// `host_vars/`: host and document.
    pub host_vars: Vec<(String, Node)>,
    /// `*.aws_ec2.yml`: where to discover more hosts.
    pub discovery: Vec<Node>,
}

/// One inventory file, as it was written.
#[derive(Debug, Clone)]
pub enum Written {
    /// YAML or JSON.
    Yaml(Node),
    /// INI.
    Ini(ini::Document),
}
