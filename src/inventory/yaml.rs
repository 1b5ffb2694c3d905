//! Reads one YAML text into a [`Node`] (pure): bounded in depth, size and alias copies, and without panics on any text.

mod mapping;
mod tag;
mod vault;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{self as granit, Event, Parser};

use super::node::{Entry, Node, NodeValue};
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::VaultText;
use crate::secret::{SecretRef, without_markers};

/// More nesting than any inventory has; the readers after this one recurse.
const MAX_DEPTH: usize = 64;
/// 10,000 hosts with a hundred values each.
const MAX_NODES: usize = 2_000_000;
/// A text with more problems than this is no inventory.
const MAX_PROBLEMS: usize = 1000;
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
        return vault::file(source, problems);
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
        enough: problems.len() + MAX_PROBLEMS,
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
    /// With this many problems the reading stops.
    enough: usize,
    problems: &'a mut Vec<Problem>,
}

/// What most often is behind a message of the parser.
fn advice(message: &str) -> Option<&'static str> {
    let known = [
        (
            "mapping values are not allowed",
            "is this line indented too far, or does a value with `: ` in it lack quotes?",
        ),
        ("unclosed bracket", "close it, or put the value into quotes"),
        ("tab", "indent with spaces"),
        ("unexpected end", "is a quote never closed?"),
        ("quoted scalar", "is a quote never closed?"),
    ];
    known.iter().find(|(part, _)| message.contains(part)).map(|(_, advice)| *advice)
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
        let mut problem = Problem::new(code, format!("not YAML: {}", error.info()));
        problem.hint = advice(&error.info()).map(str::to_owned);
        problem.at(&Span::new(Arc::clone(self.source), at..at + 1))
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
        if self.problems.len() > self.enough {
            return stop(too_much("too many problems", &span));
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
                (anchor, self.tagged(tag.as_deref(), ["seq", "omap", "pairs"], span, depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                (anchor, self.tagged(tag.as_deref(), ["map", "set", "map"], span, depth)?)
            }
            Event::Alias(id) => (0, self.alias(id, span, depth)?),
            _ => return stop(Problem::new("HW0104", "not YAML: a value is missing here").at(&span)),
        };
        if anchor > 0 {
            self.copy(built.size, &built.node.span)?;
            let node = built.node.clone();
            self.anchors.insert(anchor, Anchored { node, size: built.size, height: built.height });
        }
        built.node = secret(self.vaulted_json(built.node), self.problems);
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

fn too_much(what: &str, span: &Span) -> Problem {
    Problem::new("HW0106", format!("more than is read: {what}")).at(span)
}

fn stop<T>(problem: Problem) -> Result<T, Stop> {
    Err(Box::new(problem))
}
