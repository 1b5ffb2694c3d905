//! Texts and attributes of XML that look as if they held a secret: found in any text, also in a broken one (pure).

use std::ops::Range;

use crate::secret::look::{is_header_name, is_secret_name, is_secret_value, written_secret};

pub(super) use crate::secret::look::HIDDEN;

/// One text: where it is, and what holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The element or attribute; `!--` of a comment, `/` of a text behind a closing tag.
    pub name: &'a str,
    /// Byte offsets of its text.
    pub range: Range<usize>,
    /// Whether the name or the place alone says so.
    by_name: bool,
}

impl Found<'_> {
    /// Whether it looks like a secret in the text that it was found in.
    pub(super) fn is_secret(&self, text: &str) -> bool {
        let value = &text[self.range.clone()];
        !value.trim().is_empty() && (self.by_name || is_secret_value(value))
    }
}

/// Finds the secret-looking texts, in order, none in another; what is not closed reaches to the end of the text.
///
/// It reads comments too: a password that somebody commented out is still one.
pub(super) fn secret_texts(text: &str) -> Vec<Found<'_>> {
    let mut secrets: Vec<Found<'_>> = Vec::new();
    for found in texts(text).into_iter().filter(|found| found.is_secret(text)) {
        if secrets.last().is_none_or(|last| last.range.end <= found.range.start) {
            secrets.push(found);
        }
    }
    secrets
}

/// Finds all texts: two texts of the same elements have as many, in the same order.
pub(super) fn texts(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let (mut at, mut in_header) = (0, false);
    while let Some(start) = text[at..].find('<').map(|offset| at + offset + 1) {
        let rest = &text[start..];
        if let Some(comment) = rest.strip_prefix("!--") {
            let end = comment.find('<').into_iter().chain(comment.find("-->")).min();
            let end = end.map_or(text.len(), |end| start + 3 + end);
            found.push(Found { name: "!--", range: start + 3..end, by_name: false });
            at = start + 3;
            continue;
        }
        if let Some(closed) = rest.strip_prefix('/') {
            in_header &= !is_header_name(&closed[..name_length(closed)]);
            let Some(open) = text[start..].find('>').map(|offset| start + offset + 1) else { break };
            let end = text[open..].find('<').map_or(text.len(), |offset| open + offset);
            found.push(Found { name: "/", range: open..end, by_name: false });
            at = open;
            continue;
        }
        let name = &rest[..name_length(rest)];
        at = start + name.len();
        if name.is_empty() {
            continue;
        }
        let Some((open, is_empty)) = tag_end(text, at, &mut found) else { break };
        at = open;
        if is_empty == Tag::Empty {
            continue;
        }
        let header = is_header_name(name);
        let by_name = is_secret_name(name) || header || (in_header && name.eq_ignore_ascii_case("value"));
        in_header |= header;
        let end = text_end(text, name, at);
        found.push(Found { name, range: at..end, by_name });
        if by_name {
            at = end;
        }
    }
    found
}

/// Whether an element can have a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Open,
    Empty,
}

/// Passes a tag's attributes and finds their values; gives the place behind its `>`.
fn tag_end<'a>(text: &'a str, name_end: usize, found: &mut Vec<Found<'a>>) -> Option<(usize, Tag)> {
    let known = found.len();
    let mut at = name_end;
    loop {
        at += blanks(&text[at..]);
        let rest = &text[at..];
        if rest.starts_with("/>") {
            return Some((at + 2, Tag::Empty));
        }
        if rest.starts_with('>') {
            return Some((at + 1, Tag::Open));
        }
        let Some((name, range)) = attribute(text, at) else { break };
        at = (range.end + 1).min(text.len());
        found.push(Found { name, by_name: is_secret_name(name), range });
    }
    // No tag of XML: all that is in it is one text.
    found.truncate(known);
    let end = text[name_end..].find('>').map(|offset| name_end + offset)?;
    let is_secret = written_secret(&text[name_end..end]).is_some();
    found.push(Found { name: "", range: name_end..end, by_name: is_secret });
    Some((end + 1, if text[..end].ends_with('/') { Tag::Empty } else { Tag::Open }))
}

/// `name="value"` and where the value is; one that is not closed reaches to the end of the text.
fn attribute(text: &str, at: usize) -> Option<(&str, Range<usize>)> {
    let rest = &text[at..];
    let name = &rest[..name_length(rest)];
    let after = rest[name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'') && !name.is_empty())?;
    let start = text.len() - after.len() + 1;
    let end = text[start..].find(quote).map_or(text.len(), |offset| start + offset);
    Some((name, start..end))
}

/// Where the text of an element ends that begins at `at`: at its closing tag, over comments and CDATA, or at a child.
///
/// A cluster or a user may be called `secrets`: what it holds are elements, and only their names count.
fn text_end(text: &str, name: &str, at: usize) -> usize {
    let rest = &text[at..];
    let next = rest.find('<').map_or("", |next| &rest[next..]);
    let child = next.strip_prefix('<').is_some_and(|tag| !tag.starts_with(['/', '!']));
    if child {
        return text.len() - next.len();
    }
    rest.find(&format!("</{name}")).map_or(text.len(), |offset| at + offset)
}

/// Hides secret-looking texts, except references to secrets, which may be shown.
pub(super) fn hide(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    for found in secret_texts(text) {
        let value = text[found.range.clone()].trim();
        if is_reference(value) {
            continue;
        }
        hidden.push_str(&text[at..found.range.start]);
        hidden.push_str(HIDDEN);
        at = found.range.end;
    }
    hidden.push_str(&text[at..]);
    hidden
}

/// Hides what is written behind a secret's name, line by line: `PASSWORD=...`.
pub(super) fn hide_lines(text: &str) -> String {
    let hide = |line: &str| match written_secret(line) {
        Some(at) => format!("{}{HIDDEN}", &line[..at]),
        None => line.to_owned(),
    };
    by_line(text, hide)
}

/// Changes each line and keeps the line ends.
pub(super) fn by_line(text: &str, change: impl Fn(&str) -> String) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(body) => change(body) + "\n",
        None => change(line),
    });
    lines.collect()
}

/// `‹env:NAME›` and nothing beside it.
fn is_reference(value: &str) -> bool {
    let inside = value.strip_prefix('‹').and_then(|rest| rest.strip_suffix('›'));
    inside.is_some_and(|inside| !inside.contains(['‹', '›']))
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c))).unwrap_or(text.len())
}
