//! Vaulted texts in YAML: `!vault` values, Ansible's form of them in JSON, and whole files (pure; nothing is decrypted).

use std::sync::Arc;

use super::Reader;
use crate::inventory::node::{Entry, Node, NodeValue};
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::{VaultError, VaultText};
use crate::secret::{Held, SecretRef, Vaulted};

/// A file that is vaulted as a whole is one secret until `vaulted` opens it.
pub(super) fn file(source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Node> {
    let span = Span::new(Arc::clone(source), 0..source.text.find('\n').unwrap_or(source.text.len()));
    match VaultText::parse(&source.text) {
        Ok(vault) => {
            let secret = SecretRef::Vault(Vaulted::new(&source.name, Held::Text(vault)));
            Some(Node { span, value: NodeValue::Secret(secret) })
        }
        Err(error) => {
            problems.push(damaged(&error).at(&span));
            None
        }
    }
}

impl Reader<'_> {
    /// The value is named after its line, the second one of a line after its column too.
    pub(super) fn vaulted(&mut self, text: &str, span: &Span) -> NodeValue {
        match VaultText::parse(text) {
            Ok(vault) => {
                let (line, column) = self.at;
                let again = if self.vaulted_line == line { format!(":{column}") } else { String::new() };
                self.vaulted_line = line;
                let place = format!("{}:{line}{again}", self.source.name);
                NodeValue::Secret(SecretRef::Vault(Vaulted::new(&place, Held::Text(vault))))
            }
            // A text that is no vault may be the secret itself.
            Err(error) => {
                self.problems.push(damaged(&error).at(span).hides_value());
                NodeValue::Null
            }
        }
    }

    /// Ansible's form of a vaulted value in JSON; in YAML it is a mapping like any other.
    pub(super) fn vaulted_json(&mut self, node: Node) -> Node {
        let Some([Entry { key, value, .. }]) = node.entries() else { return node };
        if key != "__ansible_vault" || !self.is_json() {
            return node;
        }
        let value = self.vaulted(value.text().unwrap_or_default(), &value.span);
        Node { span: node.span, value }
    }
}

pub(super) fn damaged(error: &VaultError) -> Problem {
    Problem::new("HW0130", format!("this is no vaulted text: {error}"))
        .hint("`ansible-vault encrypt_string` and `ansible-vault encrypt` write them")
}
