//! Reads one YAML text into a [`Tree`], as the server's `YAMLParser` does over yaml-cpp (pure): bounded, without panics.
//!
//! A mapping's keys are elements, a sequence repeats its element, `"@name"` is an attribute, `"#text"` a text. Scalars
//! stay as they are written. The root is always `clickhouse`: a key of that name is an element below it.
//! Source: <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/src/Common/Config/YAMLParser.cpp>.

use super::budget::{MAX_BYTES, TooMuch, deep};
use super::error::ReadError;
use super::tree::{Attribute, Kind, NodeId, Place, Tree};
use super::yaml_value::{self, Shape, Value};

/// Reads a text; `file` is the number that its places carry.
pub(super) fn read(text: &str, file: usize) -> Result<Tree, ReadError> {
    if text.len() > MAX_BYTES {
        return Err(TooMuch::Bytes.into());
    }
    let value = yaml_value::read(text)?;
    let mut builder = Builder { tree: Tree::new("clickhouse", Vec::new(), Place { file, line: 1 }), file };
    // 25.8 repeats the root element for a sequence, and then reads the first one only.
    let value = match &value.shape {
        Shape::List(items) => items.first().unwrap_or(&value),
        _ => &value,
    };
    builder.fill(Tree::ROOT, value, 1)?;
    Ok(builder.tree)
}

struct Builder {
    tree: Tree,
    file: usize,
}

impl Builder {
    fn fill(&mut self, element: NodeId, value: &Value, depth: usize) -> Result<(), ReadError> {
        deep(depth)?;
        let place = Place { file: self.file, line: value.line };
        match &value.shape {
            Shape::Null => {}
            Shape::Scalar(text) => {
                self.tree.append(element, Kind::Text(text.clone()), place);
            }
            Shape::List(items) => self.list(element, items, depth)?,
            Shape::Map(entries) => {
                for (key, value) in entries {
                    self.entry(element, key, value, depth)?;
                }
            }
        }
        Ok(())
    }

    /// The first item fills the element itself, each other one a new element of the same name behind it.
    fn list(&mut self, element: NodeId, items: &[Value], depth: usize) -> Result<(), ReadError> {
        let Some((first, others)) = items.split_first() else { return Ok(()) };
        self.fill(element, first, depth)?;
        let Some(parent) = self.tree.parent(element) else { return Ok(()) };
        for item in others {
            let kind = Kind::Element { name: self.tree.name(element).to_owned(), attributes: Vec::new() };
            let again = self.tree.append(parent, kind, Place { file: self.file, line: item.line });
            self.fill(again, item, depth + 1)?;
        }
        Ok(())
    }

    fn entry(&mut self, element: NodeId, key: &Value, value: &Value, depth: usize) -> Result<(), ReadError> {
        let wrong = |what: &str| ReadError::Yaml { what: what.to_owned(), line: key.line };
        let name = match &key.shape {
            Shape::Scalar(name) => name.as_str(),
            Shape::Null => "null",
            Shape::List(_) | Shape::Map(_) => return Err(wrong("a key is no plain value")),
        };
        let place = Place { file: self.file, line: key.line };
        match (name.strip_prefix('@'), &value.shape) {
            (Some(name), Shape::Scalar(text)) => self.tree.set_attribute(element, name, text),
            (None, Shape::Scalar(text)) if name == "#text" => {
                if self.tree.children(element).any(|child| matches!(self.tree.kind(child), Kind::Text(_))) {
                    return Err(wrong("an element has two texts"));
                }
                self.tree.append(element, Kind::Text(text.clone()), place);
            }
            _ => {
                let kind = Kind::Element { name: name.to_owned(), attributes: Vec::<Attribute>::new() };
                let child = self.tree.append(element, kind, place);
                self.fill(child, value, depth + 1)?;
            }
        }
        Ok(())
    }
}
