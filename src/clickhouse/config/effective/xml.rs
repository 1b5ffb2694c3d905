//! Reads one XML text into a [`Tree`] (pure): bounded in size and depth, without panics on any text.
//!
//! Invariants: white space, comments and CDATA sections stay what they are, as in the server's parser; an error never
//! quotes the text, which may hold a secret. A document type is refused: the server reads its default attributes.

use std::fmt::Write;

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::budget::{MAX_BYTES, MAX_NODES, TooMuch, deep};
use super::error::ReadError;
use super::tree::{Attribute, Kind, NodeId, Place, Tree};

/// The target of the processing instruction that stands for a CDATA section: the parser reads those as texts.
const CDATA: &str = "housewright-cdata";

/// Reads a text; `file` is the number that its places carry.
pub(super) fn read(text: &str, file: usize) -> Result<Tree, ReadError> {
    if text.len() > MAX_BYTES {
        return Err(TooMuch::Bytes.into());
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let (prepared, sections) = take_cdata(text);
    let options =
        ParsingOptions { nodes_limit: u32::try_from(MAX_NODES).unwrap_or(u32::MAX), ..ParsingOptions::default() };
    let document = Document::parse_with_options(&prepared, options).map_err(|error| refused(&error))?;
    if document.root().children().any(|node| node.pi().is_some_and(|pi| pi.target == CDATA)) {
        return Err(ReadError::Xml { what: "there is text outside of the root".to_owned(), line: 1, column: 1 });
    }
    let mut reader = Reader { text: &prepared, sections: &sections, file, seen: 0, line: 1 };
    reader.tree(document.root_element())
}

struct Reader<'a> {
    text: &'a str,
    sections: &'a [&'a str],
    file: usize,
    /// How far lines are counted: nodes come in the order of the text.
    seen: usize,
    line: usize,
}

impl Reader<'_> {
    fn tree(&mut self, root: Node) -> Result<Tree, ReadError> {
        let place = self.place(root);
        let mut tree = Tree::new(self.name(root), self.attributes(root), place);
        let mut left: Vec<(Node, NodeId, usize)> = Vec::new();
        left.extend(root.children().rev().map(|child| (child, Tree::ROOT, 2)));
        while let Some((node, parent, depth)) = left.pop() {
            deep(depth)?;
            let place = self.place(node);
            let kind = match node.node_type() {
                NodeType::Element => Kind::Element { name: self.name(node), attributes: self.attributes(node) },
                NodeType::Text => Kind::Text(node.text().unwrap_or_default().to_owned()),
                NodeType::PI => self.section(node).unwrap_or(Kind::Comment),
                NodeType::Comment | NodeType::Root => Kind::Comment,
            };
            let id = tree.append(parent, kind, place);
            left.extend(node.children().rev().map(|child| (child, id, depth + 1)));
        }
        Ok(tree)
    }

    fn place(&mut self, node: Node) -> Place {
        let at = node.range().start.max(self.seen);
        let passed = self.text.get(self.seen..at).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.seen = at;
        Place { file: self.file, line: self.line }
    }

    /// The name as it is written, with its prefix.
    fn name(&self, node: Node) -> String {
        let written = self.text.get(node.range().start + 1..).unwrap_or_default();
        let end = written.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(written.len());
        written.get(..end).unwrap_or_default().to_owned()
    }

    fn attributes(&self, node: Node) -> Vec<Attribute> {
        let name = |attribute: &roxmltree::Attribute| self.text.get(attribute.range_qname()).unwrap_or_default();
        let attribute = |attribute: roxmltree::Attribute| Attribute {
            name: name(&attribute).to_owned(),
            value: attribute.value().to_owned(),
        };
        node.attributes().map(attribute).collect()
    }

    fn section(&self, node: Node) -> Option<Kind> {
        let pi = node.pi().filter(|pi| pi.target == CDATA)?;
        let text = self.sections.get(pi.value?.trim().parse::<usize>().ok()?)?;
        Some(Kind::Cdata(text.replace("\r\n", "\n")))
    }
}

/// Puts a processing instruction in the place of each CDATA section, on as many lines.
fn take_cdata(text: &str) -> (String, Vec<&str>) {
    let (mut out, mut sections, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some(at) = rest.as_bytes().windows(2).position(|two| matches!(two, b"<!" | b"<?")) {
        let (before, markup) = rest.split_at(at);
        out.push_str(before);
        let known = [("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>")];
        let Some((open, close)) = known.into_iter().find(|(open, _)| markup.starts_with(open)) else {
            // A document type, which is refused.
            out.push_str(markup);
            return (out, sections);
        };
        let Some(end) = markup[open.len()..].find(close).map(|end| open.len() + end) else {
            out.push_str(markup);
            return (out, sections);
        };
        let (whole, behind) = markup.split_at(end + close.len());
        let inside = &markup[open.len()..end];
        if open == "<![CDATA[" && inside.chars().all(is_xml) {
            let lines = "\n".repeat(inside.matches('\n').count());
            let _ = write!(out, "<?{CDATA} {}{lines}?>", sections.len());
            sections.push(inside);
        } else {
            out.push_str(whole);
        }
        rest = behind;
    }
    out.push_str(rest);
    (out, sections)
}

/// Whether XML 1.0 takes the character.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The kind of error without the text of the file.
fn refused(error: &roxmltree::Error) -> ReadError {
    use roxmltree::Error;
    let what = match error {
        Error::NodesLimitReached => return TooMuch::Nodes.into(),
        Error::DtdDetected => return ReadError::DocumentType,
        Error::UnexpectedCloseTag(expected, actual, _) => format!("`{expected}` is closed as `{actual}`"),
        Error::UnclosedRootNode => "an element is never closed".to_owned(),
        Error::DuplicatedAttribute(name, _) => format!("attribute `{name}` comes twice"),
        Error::NoRootNode => "there is no element".to_owned(),
        _ => "this is no well-formed XML".to_owned(),
    };
    let at = error.pos();
    ReadError::Xml { what, line: at.row, column: at.col }
}
