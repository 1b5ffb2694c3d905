//! Files that are vaulted as a whole, and where vaulted values stand (pure: the passwords have been tried already).
//!
//! Of a decrypted text only its keys can be shown: each value becomes a secret, and every place is that of the vaulted text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Documents, Entry, Inventory, Node, NodeValue, Written, yaml};
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::VaultText;
use crate::secret::{Held, Secret, SecretRef, Vaulted};

/// Longer paths of keys are cut: they are for people.
const MAX_PATH: usize = 120;

/// The files among the documents that are still encrypted.
pub fn closed(documents: &mut Documents) -> impl Iterator<Item = &mut Node> {
    let vars = documents.vars.iter_mut().flat_map(|files| files.groups.iter_mut().chain(&mut files.hosts));
    let inventories = documents.inventories.iter_mut().filter_map(|written| match written {
        Written::Yaml(node) => Some(node),
        Written::Ini(_) => None,
    });
    let files = inventories.chain(documents.discovery.iter_mut().map(|file| &mut file.node));
    files.chain(vars.map(|(_, node)| node)).filter(|node| vault(node).is_some())
}

/// What a file that is vaulted as a whole holds until it is opened.
#[must_use]
pub fn vault(document: &Node) -> Option<&VaultText> {
    match &document.value {
        NodeValue::Secret(SecretRef::Vault(vaulted)) if VaultText::is_vaulted(&document.span.source.text) => {
            match vaulted.held() {
                Some(Held::Text(vault)) => Some(vault),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Reads what was decrypted; `document` is the closed file, whose places the values keep.
#[must_use]
pub fn open(document: &Node, plain: &Secret<String>, problems: &mut Vec<Problem>) -> Node {
    let span = document.span.clone();
    let source = Arc::new(Source { name: span.source.name.clone(), text: plain.expose().clone() });
    let mut found = Vec::new();
    let node = yaml::read(&source, &mut found);
    problems.extend(found.into_iter().map(|problem| without_text(problem, &span)));
    let mut sealer = Sealer { span: &span, taken: HashMap::new(), problems };
    node.map_or(Node { span: span.clone(), value: NodeValue::Null }, |node| sealer.seal(node, ""))
}

/// Says where in the decrypted text, without the words of the reader: they may quote it.
fn without_text(problem: Problem, span: &Span) -> Problem {
    let place = problem.span.as_ref().map(Span::line_column);
    let place = place.map_or_else(String::new, |(line, column)| format!(" at {line}:{column} of the decrypted text"));
    let message = match problem.code {
        "HW0104" => "not YAML, or not one document",
        "HW0107" => "a tag that is not known",
        "HW0130" => "a value that is no vaulted text",
        _ => problem.message.as_str(),
    };
    let message = format!("{message},{place}");
    Problem { code: "HW0135", message, hint: Some("`ansible-vault edit` opens the file".to_owned()), ..problem }
        .at(span)
}

struct Sealer<'a> {
    span: &'a Span,
    /// How often a path was given away.
    taken: HashMap<String, usize>,
    problems: &'a mut Vec<Problem>,
}

impl Sealer<'_> {
    fn seal(&mut self, node: Node, path: &str) -> Node {
        let value = match node.value {
            NodeValue::Null => NodeValue::Null,
            NodeValue::Bool(flag) => self.secret(path, flag.to_string()),
            NodeValue::Number(number) => self.secret(path, number.to_string()),
            NodeValue::Wide(text) | NodeValue::Text(text) => self.secret(path, text),
            NodeValue::Unsafe(text) => self.held(path, Held::Value(Secret::new(text))),
            NodeValue::Secret(SecretRef::Vault(vaulted)) => match vaulted.held() {
                Some(Held::Text(vault)) => self.held(path, Held::Text(vault.clone())),
                _ => NodeValue::Null,
            },
            NodeValue::Secret(reference) => NodeValue::Secret(reference),
            NodeValue::List(items) => {
                let seal = |(at, item)| self.seal(item, &cut(&format!("{path}[{at}]")));
                NodeValue::List(items.into_iter().enumerate().map(seal).collect())
            }
            NodeValue::Map(entries) => {
                NodeValue::Map(entries.into_iter().map(|entry| self.entry(entry, path)).collect())
            }
        };
        Node { span: self.span.clone(), value }
    }

    fn entry(&mut self, entry: Entry, path: &str) -> Entry {
        let dot = if path.is_empty() { "" } else { "." };
        let value = self.seal(entry.value, &cut(&format!("{path}{dot}{}", entry.key)));
        Entry { key: entry.key, key_span: self.span.clone(), value }
    }

    /// Ansible resolves expressions in such files; here a value that nobody may see is not looked into.
    fn secret(&mut self, path: &str, text: String) -> NodeValue {
        if text.contains("{{") || text.contains("{%") {
            let message = format!("`{path}` in a vaulted file refers to other variables");
            let problem = Problem::new("HW0135", message).at(self.span);
            self.problems
                .push(problem.hint("write the expression in a plain file, and only the secret itself in this one"));
        }
        self.held(path, Held::Value(Secret::new(text)))
    }

    fn held(&mut self, path: &str, held: Held) -> NodeValue {
        let count = self.taken.entry(path.to_owned()).or_default();
        *count += 1;
        let again = if *count > 1 { format!("#{count}") } else { String::new() };
        NodeValue::Secret(SecretRef::Vault(Vaulted::new(&format!("{}:{path}{again}", self.span.source.name), held)))
    }
}

/// A directory's `/` in a key would look like one of the file's path.
fn cut(path: &str) -> String {
    path.chars().take(MAX_PATH).map(|c| if c == '/' { '|' } else { c }).collect()
}

impl Inventory {
    /// Every vaulted value with its place, by name.
    #[must_use]
    pub fn vaulted(&self) -> BTreeMap<Vaulted, Span> {
        let mut found = BTreeMap::new();
        for entry in self.layers().flat_map(|layer| layer.vars.values()) {
            collect(&entry.value, &mut found);
        }
        found
    }
}

fn collect(node: &Node, found: &mut BTreeMap<Vaulted, Span>) {
    match &node.value {
        NodeValue::Secret(SecretRef::Vault(vaulted)) => {
            found.insert(vaulted.clone(), node.span.clone());
        }
        NodeValue::List(items) => items.iter().for_each(|item| collect(item, found)),
        NodeValue::Map(entries) => entries.iter().for_each(|entry| collect(&entry.value, found)),
        _ => {}
    }
}
