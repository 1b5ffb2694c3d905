//! Notes secrets that stand in the inventory in plain text (pure).
//!
//! What only may be a secret is hidden elsewhere without a word; here only names that mean one are judged, so that the note is
//! worth reading.

use std::collections::BTreeSet;

use super::expressions::holds_expression;
use crate::inventory::{Inventory, Node, NodeValue};
use crate::problem::Problem;
use crate::secret::SecretRef;
use crate::secret::look::is_secret_name;

/// Parts of names that leave no doubt.
const SURE: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "api_key"];
/// Ends of names that speak of a secret and are none.
///
/// EC2's `client_token` tells requests apart.
const HARMLESS: [&str; 9] = ["_file", "_path", "_name", "_id", "_arn", "_hex", "_policy", "_url", "client_token"];

/// Notes each name once, at the first place where it stands.
pub(super) fn check(inventory: &Inventory, problems: &mut Vec<Problem>) {
    let mut noted = BTreeSet::new();
    for layer in inventory.layers() {
        for (name, entry) in &layer.vars {
            // Of those that Ansible reads itself, `connection` says that they are not used; clusters judge their own.
            if !name.starts_with("ansible_") && name != "clickhouse_clusters" {
                look(name, &entry.value, &mut noted, problems);
            }
        }
    }
}

fn look<'a>(name: &'a str, node: &'a Node, noted: &mut BTreeSet<&'a str>, problems: &mut Vec<Problem>) {
    match &node.value {
        NodeValue::Text(text) if means_secret(name) && !text.is_empty() && !refers(text, node) => {
            if !noted.insert(name) {
                return;
            }
            let message = format!("`{name}` looks like a secret in plain text");
            let hint =
                "write `{ from_secret: env:NAME }` or `!vault`: a secret is shown nowhere, a plain text is in `--list`";
            problems.push(Problem::note("HW0127", message).at(&node.span).hides_value().hint(hint));
        }
        NodeValue::List(items) => items.iter().for_each(|item| look(name, item, noted, problems)),
        NodeValue::Map(entries) => entries.iter().for_each(|entry| look(&entry.key, &entry.value, noted, problems)),
        _ => {}
    }
}

fn refers(text: &str, node: &Node) -> bool {
    holds_expression(node) || SecretRef::parse(text).is_some()
}

fn means_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_secret_name(name)
        && SURE.iter().any(|part| lower.contains(part))
        && !HARMLESS.iter().any(|end| lower.ends_with(end))
}
