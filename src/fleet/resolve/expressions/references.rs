//! The references to secrets that stand in the inventory and in roles: no expression may make another one (pure).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::inventory::{Inventory, Node, NodeValue};
use crate::role::Role;
use crate::secret::{MARKER_END, MARKER_START, SecretRef};

/// Every reference that was written.
#[derive(Debug, Default)]
pub(super) struct References(BTreeSet<SecretRef>);

impl References {
    /// Gathers them.
    pub(super) fn of<'r>(inventory: &Inventory, roles: impl Iterator<Item = &'r Role>) -> Self {
        let mut references = Self::default();
        inventory.layers().flat_map(|layer| layer.vars.values()).for_each(|entry| references.add_node(&entry.value));
        roles.flat_map(|role| role.vars.values()).for_each(|value| SecretRef::collect(value, &mut references.0));
        references
    }

    /// Whether every marker in the value was written as a reference, and none is damaged.
    pub(super) fn hold(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.hold_text(text),
            Value::Array(items) => items.iter().all(|item| self.hold(item)),
            Value::Object(map) => map.iter().all(|(key, item)| self.hold_text(key) && self.hold(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    fn hold_text(&self, text: &str) -> bool {
        let mut parts = text.split(MARKER_START);
        let before = parts.next().unwrap_or_default();
        !before.contains(MARKER_END)
            && parts.all(|part| {
                part.split_once(MARKER_END).is_some_and(|(inside, after)| {
                    SecretRef::from_marker(inside).is_some_and(|reference| self.0.contains(&reference))
                        && !after.contains(MARKER_END)
                })
            })
    }

    fn add_node(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Secret(secret) => drop(self.0.insert(secret.clone())),
            NodeValue::List(items) => items.iter().for_each(|item| self.add_node(item)),
            NodeValue::Map(entries) => entries.iter().for_each(|entry| self.add_node(&entry.value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_markers_that_were_written_hold() {
        let marker = |inside: &str| format!("{MARKER_START}{inside}{MARKER_END}");
        let mut references = References::default();
        SecretRef::collect(&json!({ "a": [format!("user:{}", marker("env:A"))] }), &mut references.0);
        assert!(references.hold(&json!({ "x": ["plain", format!("{}-{}", marker("env:A"), marker("env:A"))] })));
        let forged = [
            marker("exec:touch x"),
            format!("{}{}", marker("env:A"), marker("env:B")),
            format!("{MARKER_START}env:A"),
            format!("env:A{MARKER_END}"),
            format!("{}{MARKER_END}", marker("env:A")),
        ];
        for text in forged {
            assert!(!references.hold(&json!([text])), "{text:?}");
            assert!(!references.hold(&json!({ text.clone(): 1 })), "{text:?}");
        }
    }
}
