//! Files that are vaulted as a whole, and where vaulted values stand (pure: the passwords have been tried already).
//!
//! Of a decrypted text only its keys can be shown: each value becomes a secret, and every place is that of the vaulted text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Documents, Entry, Inventory, Node, NodeValue, Written, ini, yaml};
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::VaultText;
use crate::secret::{Held, Secret, SecretRef, Vaulted};

/// Longer paths of keys are cut: they are for people.
const MAX_PATH: usize = 120;

/// A file that is still encrypted.
#[derive(Debug)]
pub enum Closed<'a> {
    /// An inventory file.
    Inventory(&'a mut Written, Arc<Vault>),
    /// A file of variables, or one that discovers hosts.
    Document(&'a mut Node, Arc<Vault>),
}

/// What a closed file holds.
#[derive(Debug)]
pub struct Vault {
    /// The first line of the file, which is all that is ever shown of it.
    pub span: Span,
    /// The encrypted text.
    pub text: VaultText,
}

/// The files among the documents that are still encrypted.
pub fn closed(documents: &mut Documents) -> impl Iterator<Item = Closed<'_>> {
    let inventories = documents.inventories.iter_mut().filter_map(|written| match written {
        Written::Yaml(node) => vault(node).map(|vault| Closed::Inventory(written, vault)),
        Written::Ini(_) => None,
    });
    let vars = documents.vars.iter_mut().flat_map(|files| files.groups.iter_mut().chain(&mut files.hosts));
    let documents = documents.discovery.iter_mut().map(|file| &mut file.node).chain(vars.map(|(_, node)| node));
    inventories.chain(documents.filter_map(|node| vault(node).map(|vault| Closed::Document(node, vault))))
}

fn vault(document: &Node) -> Option<Arc<Vault>> {
    match &document.value {
        NodeValue::Secret(SecretRef::Vault(vaulted)) if VaultText::is_vaulted(&document.span.source.text) => {
            match vaulted.held() {
                Some(Held::Text(text)) => Some(Arc::new(Vault { span: document.span.clone(), text: text.clone() })),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Closed<'_> {
    /// What it holds.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        match self {
            Self::Inventory(_, vault) | Self::Document(_, vault) => vault,
        }
    }

    /// Reads what was decrypted; `inventory` reads the text of an inventory file, in whichever form.
    pub fn open(
        self,
        plain: &Secret<String>,
        inventory: impl FnOnce(&Arc<Source>, &mut Vec<Problem>) -> Option<Written>,
        problems: &mut Vec<Problem>,
    ) {
        let span = self.vault().span.clone();
        let source = Arc::new(Source { name: span.source.name.clone(), text: plain.expose().clone() });
        let mut found = Vec::new();
        let read = match &self {
            Self::Inventory(..) => inventory(&source, &mut found),
            Self::Document(..) => yaml::read(&source, &mut found).map(Written::Yaml),
        };
        problems.extend(found.into_iter().map(|problem| without_text(problem, &span)));
        let mut sealer = Sealer { span: &span, taken: HashMap::new(), problems };
        match (self, read) {
            (Self::Inventory(written, _), Some(read)) => *written = sealer.written(read),
            (Self::Document(closed, _), Some(Written::Yaml(node))) => *closed = sealer.seal(node, ""),
            (closed, _) => closed.forget(),
        }
    }

    /// Takes it for an empty file: why it is closed has been said.
    pub fn forget(self) {
        match self {
            Self::Inventory(Written::Yaml(node), _) | Self::Document(node, _) => node.value = NodeValue::Null,
            Self::Inventory(Written::Ini(_), _) => {}
        }
    }
}

/// Says where in the decrypted text, without the words of the reader: they may quote it.
fn without_text(problem: Problem, span: &Span) -> Problem {
    let place = problem.span.as_ref().map(Span::line_column);
    let place = place.map_or_else(String::new, |(line, column)| format!(" at {line}:{column} of the decrypted text"));
    let message = match problem.code {
        "HW0104" => "not YAML, or not one document",
        "HW0107" => "a tag that is not known",
        "HW0130" => "a value that is no vaulted text",
        "HW0114" | "HW0136" | "HW0137" => "a line that cannot be read",
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

    fn written(&mut self, read: Written) -> Written {
        match read {
            Written::Yaml(node) => Written::Yaml(self.seal(node, "")),
            Written::Ini(document) => Written::Ini(self.ini(document)),
        }
    }

    /// Sections, hosts and children are shown; values of variables are not.
    fn ini(&mut self, mut document: ini::Document) -> ini::Document {
        document.span = self.span.clone();
        for section in &mut document.sections {
            section.span = self.span.clone();
            match &mut section.body {
                ini::Body::Hosts(lines) => {
                    for line in lines {
                        line.span = self.span.clone();
                        self.ini_vars(&mut line.vars, &line.pattern);
                    }
                }
                ini::Body::Vars(vars) => self.ini_vars(vars, &section.name),
                ini::Body::Children(children) => {
                    children.iter_mut().for_each(|(_, span)| *span = self.span.clone());
                }
            }
        }
        document
    }

    fn ini_vars(&mut self, vars: &mut Vec<Entry>, owner: &str) {
        *vars = std::mem::take(vars).into_iter().map(|entry| self.entry(entry, owner)).collect();
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
