//! Reads one YAML text into a [`Node`] (pure): bounded in depth, size and alias copies, and without panics on any text.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_saphyr::granit_parser::{self as granit, Event, Parser, ScalarStyle, Tag};

use super::node::{Entry, Node, NodeValue};
use super::scalar;
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::{VaultError, VaultText};
use crate::secret::{Held, SecretRef, Vaulted, without_markers};

/// More nesting than any inventory has; the readers after this one recurse.
const MAX_DEPTH: usize = 64;
/// 10,000 hosts with a hundred values each.
const MAX_NODES: usize = 2_000_000;
/// Copies that `&anchor` and `*alias` may make: enough for shared settings, too few for a bomb.
const MAX_COPIED: usize = 200_000;

/// Reads a text that holds at most one document; an empty text is null.
///
/// Problems are added to `problems`; after a syntax error there is no node.
pub fn read(source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Node> {
    let options = granit::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_comments: false,
    };
    if VaultText::is_vaulted(&source.text) {
        return vaulted_file(source, problems);
    }
    let parser = Parser::new_from_str_with_options(&source.text, options);
    let mut reader = Reader {
        source,
        parser,
        anchors: BTreeMap::new(),
        nodes: 0,
        copied: 0,
        at: (0, 0),
        vaulted_line: 0,
        json: None,
        problems,
    };
    match reader.document() {
        Ok(node) => Some(node),
        Err(problem) => {
            reader.problems.push(*problem);
            None
        }
    }
}

/// A file that is vaulted as a whole is one secret until `vaulted` opens it.
fn vaulted_file(source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Node> {
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

/// The reading stops.
type Stop = Box<Problem>;

struct Reader<'a> {
    source: &'a Arc<Source>,
    parser: Parser<'a, granit::StrInput<'a>>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    copied: usize,
    /// Line and column of the scalar that was read last.
    at: (usize, usize),
    /// The line of the last vaulted value.
    vaulted_line: usize,
    /// Whether the whole text is JSON, once somebody asked.
    json: Option<bool>,
    problems: &'a mut Vec<Problem>,
}

struct Anchored {
    node: Node,
    size: usize,
    height: usize,
}

/// A node with what the limits need to know of it.
struct Built {
    node: Node,
    size: usize,
    height: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if document.is_some() => {
                    let message = "a second document begins here";
                    return stop(Problem::new("HW0104", message).at(&self.span(&span)).hint("remove the `---`"));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                other => document = Some(self.node(other, &span, 0)?.node),
            }
        }
        let start = Span::new(Arc::clone(self.source), 0..0);
        Ok(document.unwrap_or(Node { span: start, value: NodeValue::Null }))
    }

    fn next(&mut self) -> Result<(Event<'a>, granit::Span), Stop> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(event)) => return Ok(event),
                Some(Err(error)) => return stop(self.syntax(&error)),
                None => return Ok((Event::StreamEnd, granit::Span::default())),
            }
        }
    }

    fn syntax(&self, error: &granit::ScanError) -> Problem {
        let at = error.marker().byte_offset().unwrap_or(self.source.text.len());
        let code = match error.kind() {
            granit::ErrorKind::RecursionLimitExceeded => "HW0106",
            _ => "HW0104",
        };
        Problem::new(code, format!("not YAML: {}", error.info())).at(&Span::new(Arc::clone(self.source), at..at + 1))
    }

    fn span(&self, span: &granit::Span) -> Span {
        let start = span.start.byte_offset().unwrap_or_default();
        Span::new(Arc::clone(self.source), start..span.end.byte_offset().unwrap_or(start))
    }

    fn node(&mut self, event: Event<'a>, at: &granit::Span, depth: usize) -> Result<Built, Stop> {
        self.nodes += 1;
        let span = self.span(at);
        if depth > MAX_DEPTH {
            return stop(too_much("nested too deeply", &span));
        }
        if self.nodes > MAX_NODES {
            return stop(too_much("too many values", &span));
        }
        let (anchor, mut built) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.at = (at.start.line(), at.start.col() + 1);
                let text = without_markers(&text);
                let value = self.scalar(&text, style, tag.as_deref(), &span);
                (anchor, Built { node: Node { span, value }, size: 1, height: 1 })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.container_tag(tag.as_deref(), &span);
                (anchor, self.list(span, depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.container_tag(tag.as_deref(), &span);
                (anchor, self.map(span, depth)?)
            }
            Event::Alias(id) => (0, self.alias(id, span, depth)?),
            _ => return stop(Problem::new("HW0104", "not YAML: a value is missing here").at(&span)),
        };
        if anchor > 0 {
            self.copy(built.size, &built.node.span)?;
            let node = built.node.clone();
            self.anchors.insert(anchor, Anchored { node, size: built.size, height: built.height });
        }
        built.node = self.json_vault(built.node);
        built.node = secret(built.node, self.problems);
        Ok(built)
    }

    fn copy(&mut self, size: usize, span: &Span) -> Result<(), Stop> {
        self.copied += size;
        if self.copied > MAX_COPIED { stop(too_much("anchors and aliases copy too much", span)) } else { Ok(()) }
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Built, Stop> {
        let Some((size, height)) = self.anchors.get(&id).map(|anchored| (anchored.size, anchored.height)) else {
            return stop(Problem::new("HW0106", "an alias inside the value that it stands for").at(&span));
        };
        self.copy(size, &span)?;
        if depth + height > MAX_DEPTH {
            return stop(too_much("nested too deeply", &span));
        }
        let node =
            self.anchors.get(&id).map_or(Node { span, value: NodeValue::Null }, |anchored| anchored.node.clone());
        Ok(Built { node, size, height })
    }

    fn list(&mut self, mut span: Span, depth: usize) -> Result<Built, Stop> {
        let (mut items, mut size, mut height) = (Vec::new(), 1, 1);
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                span.range.end = self.span(&at).range.end.max(span.range.end);
                return Ok(Built { node: Node { span, value: NodeValue::List(items) }, size, height });
            }
            let item = self.node(event, &at, depth + 1)?;
            size += item.size;
            height = height.max(item.height + 1);
            items.push(item.node);
        }
    }

    fn map(&mut self, mut span: Span, depth: usize) -> Result<Built, Stop> {
        let (mut entries, mut merged, mut size, mut height) = (Vec::new(), Vec::new(), 1, 1);
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                span.range.end = self.span(&at).range.end.max(span.range.end);
                break;
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, &at, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, &at, depth + 1)?;
            size += value.size + 1;
            height = height.max(value.height + 1);
            if merge {
                self.merge(value.node, &mut merged);
            } else {
                let key_span = key.node.span.clone();
                entries.push(Entry { key: self.key(&key.node), key_span, value: value.node });
            }
        }
        let entries = self.unique(entries, merged);
        Ok(Built { node: Node { span, value: NodeValue::Map(entries) }, size, height })
    }

    /// A number or boolean as a key is its JSON text, as when Ansible prints it.
    fn key(&mut self, node: &Node) -> String {
        match &node.value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => node.to_json().to_string(),
            _ => {
                self.problems.push(Problem::new("HW0104", "a key must be a plain value").at(&node.span));
                String::new()
            }
        }
    }

    fn merge(&mut self, node: Node, merged: &mut Vec<Entry>) {
        match node.value {
            NodeValue::Map(entries) => merged.extend(entries),
            NodeValue::List(items) if items.iter().all(|item| item.entries().is_some()) => {
                items.into_iter().for_each(|item| self.merge(item, merged));
            }
            _ => {
                self.problems.push(Problem::new("HW0104", "`<<` takes a mapping or a list of mappings").at(&node.span));
            }
        }
    }

    /// Refuses a key that stands twice; a merged entry gives way to the map's own and to earlier merged ones.
    fn unique(&mut self, entries: Vec<Entry>, merged: Vec<Entry>) -> Vec<Entry> {
        let mut seen = HashSet::new();
        let mut kept = Vec::with_capacity(entries.len() + merged.len());
        for entry in entries {
            if seen.insert(entry.key.clone()) {
                kept.push(entry);
            } else {
                let message = format!("the key `{}` stands twice in this mapping", entry.key);
                self.problems.push(Problem::new("HW0105", message).at(&entry.key_span).hint("remove one of the two"));
            }
        }
        kept.extend(merged.into_iter().filter(|entry| seen.insert(entry.key.clone())));
        kept
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> NodeValue {
        let name = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
        match name.as_deref() {
            None if style == ScalarStyle::Plain => scalar::plain(text),
            // `!unsafe` keeps Ansible from templating a text; nothing is templated here.
            None | Some("!" | "!unsafe" | "tag:yaml.org,2002:str") => NodeValue::Text(text.to_owned()),
            Some("tag:yaml.org,2002:int" | "tag:yaml.org,2002:float" | "tag:yaml.org,2002:bool") => scalar::plain(text),
            Some("tag:yaml.org,2002:null") => NodeValue::Null,
            Some("!vault" | "!vault-encrypted") => self.vaulted(text, span),
            // The text of a tag without a value may be a password.
            Some(_) if text.is_empty() => {
                let problem = Problem::new("HW0107", "a tag that is not known, and no value").at(span).hides_value();
                self.problems.push(problem.hint("a text that begins with `!` stands in quotes"));
                NodeValue::Null
            }
            Some(other) => {
                self.problems.push(Problem::new("HW0107", format!("the tag `{other}` is not known")).at(span));
                NodeValue::Null
            }
        }
    }

    /// The value is named after its line, the second one of a line after its column too.
    fn vaulted(&mut self, text: &str, span: &Span) -> NodeValue {
        match VaultText::parse(text) {
            Ok(vault) => {
                let (line, column) = self.at;
                let mut place = format!("{}:{line}", self.source.name);
                if self.vaulted_line == line {
                    place.push_str(&format!(":{column}"));
                }
                self.vaulted_line = line;
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
    fn json_vault(&mut self, node: Node) -> Node {
        match node.entries() {
            Some([Entry { key, value, .. }]) if key == "__ansible_vault" && self.is_json() => {
                let value = self.vaulted(value.text().unwrap_or_default(), &value.span);
                Node { span: node.span, value }
            }
            _ => node,
        }
    }

    fn is_json(&mut self) -> bool {
        let text = &self.source.text;
        *self.json.get_or_insert_with(|| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
    }

    fn container_tag(&mut self, tag: Option<&Tag>, span: &Span) {
        let Some(name) = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix())) else { return };
        if name == "!vault" || name == "!vault-encrypted" {
            self.problems.push(damaged(&VaultError::NotVault).at(span).hides_value());
        } else if !matches!(name.as_str(), "tag:yaml.org,2002:map" | "tag:yaml.org,2002:seq" | "!unsafe") {
            self.problems.push(Problem::new("HW0107", format!("the tag `{name}` is not known")).at(span));
        }
    }
}

/// A mapping with the single key `from_secret` is a reference; what it holds instead is never repeated.
pub(super) fn secret(node: Node, problems: &mut Vec<Problem>) -> Node {
    let Some([Entry { key, value, .. }]) = node.entries() else { return node };
    if key != "from_secret" {
        return node;
    }
    if let Some(secret) = value.text().and_then(SecretRef::parse) {
        return Node { span: node.span, value: NodeValue::Secret(secret) };
    }
    let message = "`from_secret` takes `env:NAME`, `file:PATH` or `exec:COMMAND`, never the secret itself";
    problems.push(Problem::new("HW0108", message).at(&value.span).hides_value());
    Node { span: node.span, value: NodeValue::Null }
}

fn damaged(error: &VaultError) -> Problem {
    Problem::new("HW0130", format!("this is no vaulted text: {error}"))
        .hint("`ansible-vault encrypt_string` and `ansible-vault encrypt` write them")
}

fn too_much(what: &str, span: &Span) -> Problem {
    Problem::new("HW0106", format!("more than is read: {what}")).at(span)
}

fn stop<T>(problem: Problem) -> Result<T, Stop> {
    Err(Box::new(problem))
}
