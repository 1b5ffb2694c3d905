//! A tree as XML (pure): elements indented, texts of elements without children as they stand, no comments.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::ReadError;
use super::keys::is_true;
use super::merge::is_blank;
use super::tree::{Kind, NodeId, Tree};
use super::xml;
use crate::clickhouse::config::MASK;
use crate::secret::Secret;
use crate::secret::look::is_secret;

/// What a text shows of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show<'a> {
    /// Everything: for comparing, never for people.
    All,
    /// Everything, without the elements that `hide_in_preprocessed` hides.
    Preprocessed,
    /// What looks like a secret is masked, but not these texts.
    Masked(&'a BTreeSet<String>),
}

impl Tree {
    /// Reads one XML text by itself, whatever its root.
    ///
    /// # Errors
    /// Says where the text is no XML, or what it has too much of.
    pub fn from_xml(text: &str) -> Result<Self, ReadError> {
        xml::read(text, 0)
    }

    /// The XML for people: what looks like a secret, came out of the environment, or is hidden by its file is masked; the
    /// given texts, such as names of secrets, are not.
    #[must_use]
    pub fn masked(&self, harmless: &BTreeSet<String>) -> String {
        self.write(Show::Masked(harmless))
    }

    /// The whole XML.
    #[must_use]
    pub fn whole(&self) -> Secret<String> {
        Secret::new(self.write(Show::All))
    }

    /// The XML without what `hide_in_preprocessed` hides: what the server keeps in `preprocessed_configs/`.
    #[must_use]
    pub fn preprocessed(&self) -> Secret<String> {
        Secret::new(self.write(Show::Preprocessed))
    }

    fn write(&self, show: Show<'_>) -> String {
        let mut writer = Writer { tree: self, show, out: String::new() };
        writer.element(Tree::ROOT, &mut String::new(), 0, false);
        writer.out
    }
}

struct Writer<'a> {
    tree: &'a Tree,
    show: Show<'a>,
    out: String,
}

impl Writer<'_> {
    /// Recursive: a tree that was read is no deeper than is read.
    fn element(&mut self, element: NodeId, path: &mut String, depth: usize, hidden: bool) {
        let tree = self.tree;
        let hidden = hidden || tree.hides(element);
        let length = path.len();
        if depth > 0 {
            path.push('/');
            path.push_str(tree.name(element));
        }
        let indent = "    ".repeat(depth);
        let _ = write!(self.out, "{indent}<{}", quick_xml::escape::escape(tree.name(element)));
        let mut attributes: Vec<_> = tree.attributes(element).iter().collect();
        attributes.sort();
        for attribute in attributes {
            let value = self.value(&format!("{path}/@{}", attribute.name), &attribute.value, hidden);
            let name = quick_xml::escape::escape(&attribute.name);
            let _ = write!(self.out, " {name}=\"{}\"", escape(&value).replace('\n', "&#10;").replace('\t', "&#9;"));
        }
        self.content(element, path, depth, hidden);
        path.truncate(length);
    }

    fn content(&mut self, element: NodeId, path: &mut String, depth: usize, hidden: bool) {
        let tree = self.tree;
        let text = tree.text(element);
        let is_left_out = |child: &NodeId| {
            let hides = tree.attribute(*child, "hide_in_preprocessed").is_some_and(is_true);
            hides && self.show == Show::Preprocessed
        };
        let mut shown = tree.children(element).filter(|child| !is_left_out(child));
        let alone = shown.all(|child| matches!(tree.kind(child), Kind::Text(_) | Kind::Cdata(_)));
        let text = match alone {
            true => text.as_str(),
            false if is_blank(&text) => "",
            false => text.trim(),
        };
        let value = self.value(path, text, hidden || tree.has_hidden_text(element));
        let inside: Vec<_> = tree.elements(element).filter(|child| !is_left_out(child)).collect();
        if inside.is_empty() && value.is_empty() {
            self.out.push_str("/>\n");
            return;
        }
        self.out.push('>');
        self.out.push_str(&escape(&value));
        if !inside.is_empty() {
            self.out.push('\n');
            inside.into_iter().for_each(|child| self.element(child, path, depth + 1, hidden));
            self.out.push_str(&"    ".repeat(depth));
        }
        let _ = writeln!(self.out, "</{}>", quick_xml::escape::escape(tree.name(element)));
    }

    fn value(&self, path: &str, value: &str, hidden: bool) -> String {
        let masked = match self.show {
            Show::All | Show::Preprocessed => false,
            Show::Masked(harmless) => {
                !is_blank(value) && !harmless.contains(value) && (hidden || is_secret(path, value))
            }
        };
        if masked { MASK.to_owned() } else { value.to_owned() }
    }
}

fn escape(text: &str) -> String {
    let escaped = quick_xml::escape::escape(text);
    // Characters that a reader would change: https://www.w3.org/TR/xml/#sec-line-ends
    escaped.replace('\r', "&#13;")
}
