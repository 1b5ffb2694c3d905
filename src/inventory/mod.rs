//! What the operator wrote about hosts: documents with spans, groups, variables, patterns (pure; `load` reads the disk).

mod node;
mod scalar;
pub mod yaml;

pub use node::{Entry, Node, NodeValue};
