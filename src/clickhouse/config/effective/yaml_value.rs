//! YAML as yaml-cpp keeps it (pure): scalars as texts, mappings with all their entries, also those of one name.
//!
//! Invariants: bounded in depth, size and what aliases copy; an error never quotes the text, which may hold a secret.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{self as granit, Event, Parser, ScalarStyle, Tag};

use super::budget::{MAX_DEPTH, MAX_NODES, TooMuch, deep};
use super::error::ReadError;

/// One value and the line that it begins in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub shape: Shape,
    pub line: usize,
}

/// What it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    Scalar(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// Reads the first document of a text; an empty text is null.
pub(super) fn read(text: &str) -> Result<Value, ReadError> {
    let options = granit::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_comments: false,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: BTreeMap::new(), nodes: 0 };
    loop {
        let (event, line) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(Value { shape: Shape::Null, line: 1 }),
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => return reader.value(event, line, 0),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit::StrInput<'a>>,
    anchors: BTreeMap<usize, (Value, usize)>,
    /// Values so far, those that aliases copied included.
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), ReadError> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, span.start.line().max(1))),
                Some(Err(error)) if matches!(error.kind(), granit::ErrorKind::RecursionLimitExceeded) => {
                    return Err(TooMuch::Depth.into());
                }
                Some(Err(error)) => return Err(wrong("this is no well-formed YAML", error.marker().line())),
                None => return Ok((Event::StreamEnd, 1)),
            }
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), ReadError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(TooMuch::Nodes.into()) } else { Ok(()) }
    }

    fn value(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Value, ReadError> {
        deep(depth)?;
        self.count(1)?;
        let before = self.nodes;
        let (anchor, shape) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref())),
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(id) => return self.alias(id, line, depth),
            _ => return Err(wrong("a value is missing", line)),
        };
        let value = Value { shape, line };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), 1 + self.nodes - before));
        }
        Ok(value)
    }

    fn alias(&mut self, id: usize, line: usize, depth: usize) -> Result<Value, ReadError> {
        let Some((value, size)) = self.anchors.get(&id).cloned() else {
            return Err(wrong("an alias stands inside of what it names", line));
        };
        self.count(size)?;
        deep(depth + height(&value))?;
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Shape, ReadError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Shape::List(items)),
                (event, line) => items.push(self.value(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Shape, ReadError> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, tag) if text == "<<" && tag.is_none());
            let key = self.value(event, line, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.value(event, at, depth + 1)?;
            if merges { merged.push(value) } else { entries.push((key, value)) }
        }
        for value in merged {
            self.merge(&mut entries, value)?;
        }
        Ok(Shape::Map(entries))
    }

    /// What `<<` names comes behind the mapping's own entries, and gives way to them.
    /// <https://github.com/ClickHouse/ClickHouse/pull/62685>
    fn merge(&mut self, entries: &mut Vec<(Value, Value)>, value: Value) -> Result<(), ReadError> {
        let line = value.line;
        let maps = match value.shape {
            Shape::List(items) => items,
            shape => vec![Value { shape, line }],
        };
        for map in maps {
            let Shape::Map(others) = map.shape else {
                return Err(wrong("`<<` takes a mapping or a list of mappings", line));
            };
            for (key, value) in others {
                self.count(1)?;
                if !entries.iter().any(|(known, _)| known.shape == key.shape) {
                    entries.push((key, value));
                }
            }
        }
        Ok(())
    }
}

/// Plain `~`, `null` and nothing are null; every other scalar is its text.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Shape {
    let null = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if null && style == ScalarStyle::Plain && tag.is_none() { Shape::Null } else { Shape::Scalar(text.to_owned()) }
}

fn height(value: &Value) -> usize {
    match &value.shape {
        Shape::Null | Shape::Scalar(_) => 0,
        Shape::List(items) => 1 + items.iter().map(height).max().unwrap_or_default(),
        Shape::Map(entries) => 1 + entries.iter().map(|(_, value)| height(value)).max().unwrap_or_default(),
    }
}

fn wrong(what: &str, line: usize) -> ReadError {
    ReadError::Yaml { what: what.to_owned(), line: line.max(1) }
}
