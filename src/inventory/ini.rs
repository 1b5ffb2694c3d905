//! Reads an INI inventory as Ansible's `ini` plugin does (pure): every line is a header, a host, a variable or a child.
//!
//! A problem of one line never hides those of the lines behind it.

mod lines;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use super::literal;
use super::node::{Entry, Node, NodeValue};
use crate::problem::{Problem, Source, Span, near_name};
use crate::secret::without_markers;
use lines::Line;

/// As many values as a YAML document may hold.
const MAX_NODES: usize = 2_000_000;
/// A text with more lines than this that cannot be read is no INI inventory.
const MAX_PROBLEMS: usize = 1000;
const KINDS: [&str; 3] = ["hosts", "children", "vars"];

/// The sections of an INI inventory, in the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The whole text.
    pub span: Span,
    /// Its sections; hosts before the first header are a section named `ungrouped`.
    pub sections: Vec<Section>,
}

/// A header with the lines below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The group.
    pub name: String,
    /// The header.
    pub span: Span,
    /// What the lines say.
    pub body: Body,
}

/// The lines of one section.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `[group]`: hosts with variables.
    Hosts(Vec<HostLine>),
    /// `[group:vars]`: variables of the group; of one name only the last.
    Vars(Vec<Entry>),
    /// `[group:children]`: groups in the group.
    Children(Vec<(String, Span)>),
}

/// A line that names hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct HostLine {
    /// One name, which may have ranges and a port.
    pub pattern: String,
    /// Where the name was written.
    pub span: Span,
    /// The variables behind it; of one name only the last.
    pub vars: Vec<Entry>,
}

/// Reads a text; problems are added to `problems`, and what has none is in the document.
///
/// There is no document only where the text holds more values than are read.
pub fn read(source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Document> {
    let span = Span::new(Arc::clone(source), 0..source.text.len());
    let first = Section {
        name: "ungrouped".to_owned(),
        span: Span::new(Arc::clone(source), 0..0),
        body: Body::Hosts(Vec::new()),
    };
    let enough = problems.len() + MAX_PROBLEMS;
    let mut reader =
        Reader { source, section: Some(first), sections: Vec::new(), seen: HashMap::new(), nodes: 0, problems };
    for line in lines::all(&source.text) {
        let too_many = (reader.nodes > MAX_NODES).then_some("values");
        if let Some(what) = too_many.or((reader.problems.len() > enough).then_some("problems")) {
            let problem = Problem::new("HW0106", format!("more than is read: too many {what}"));
            reader.problems.push(problem.at(&reader.span(&line)));
            return None;
        }
        reader.line(&line);
    }
    reader.sections.extend(reader.section.take());
    reader.sections.retain(|section| section.span.range.end > 0 || section.body != Body::Hosts(Vec::new()));
    Some(Document { span, sections: reader.sections })
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    /// The section that is open; none below a header that says nothing.
    section: Option<Section>,
    sections: Vec<Section>,
    /// The variables of the open section, with their places in it.
    seen: HashMap<String, usize>,
    nodes: usize,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line) {
        if line.text.starts_with('[') {
            if let Some((name, kind)) = header(line.text) {
                self.sections.extend(self.section.take());
                self.section = self.open(line, name, kind);
                return;
            }
            let word = line.text.split([' ', '\t']).next().unwrap_or_default();
            if line.text.ends_with(']') || (word.ends_with(']') && !word.contains(':')) {
                self.sections.extend(self.section.take());
                let problem = self.problem(line, "a header is `[group]`, `[group:children]` or `[group:vars]`");
                let hint = "a group's name has no blanks, no `:` and no `]`; a comment behind a header begins with `#`";
                return self.problems.push(problem.hint(hint));
            }
        }
        // Taken out for the while in which the line is read.
        let Some(mut section) = self.section.take() else { return };
        match &mut section.body {
            Body::Hosts(hosts) => hosts.extend(self.host(line)),
            Body::Vars(vars) => {
                if let Some(entry) = self.variable(line) {
                    let mut seen = std::mem::take(&mut self.seen);
                    self.set(vars, &mut seen, entry);
                    self.seen = seen;
                }
            }
            Body::Children(children) => children.extend(self.child(line)),
        }
        self.section = Some(section);
    }

    fn open(&mut self, line: &Line, name: &str, kind: Option<&str>) -> Option<Section> {
        let body = match kind {
            None | Some("hosts") => Body::Hosts(Vec::new()),
            Some("vars") => Body::Vars(Vec::new()),
            Some("children") => Body::Children(Vec::new()),
            Some(kind) => {
                let problem = self.problem(line, &format!("a section cannot hold `{kind}`"));
                let hint = near_name(kind, KINDS).unwrap_or_else(|| {
                    format!("it holds hosts, `[{name}:children]` groups, `[{name}:vars]` variables")
                });
                self.problems.push(problem.hint(hint));
                return None;
            }
        };
        self.seen.clear();
        Some(Section { name: without_markers(name).into_owned(), span: self.span(line), body })
    }

    fn host(&mut self, line: &Line) -> Option<HostLine> {
        let words = match words::split(line.text) {
            Ok(words) => words,
            Err(unclosed) => {
                let span = Span::new(Arc::clone(self.source), line.start + unclosed.at..line.end());
                self.problems.push(Problem::new("HW0136", unclosed.why).at(&span).hides_value().hint(unclosed.hint));
                return None;
            }
        };
        let mut words = words.into_iter();
        let first = words.next()?;
        let span = Span::new(Arc::clone(self.source), line.start + first.start..line.start + first.end);
        let problem = |message: &str| Problem::new("HW0136", message).at(&span);
        if first.text.is_empty() {
            self.problems.push(problem("a host without a name"));
            return None;
        }
        if lines::strip(&first.text) == "---" {
            self.problems.push(problem("`---` is no host").hint("a YAML inventory has a name that ends in `.yml`"));
            return None;
        }
        if lines::strip(&first.text).ends_with(':') {
            let hint = "write the port behind the `:`, or take the `:` away; YAML needs a name that ends in `.yml`";
            self.problems.push(problem("a host's name cannot end in `:`").hint(hint));
            return None;
        }
        let (mut vars, mut seen) = (Vec::new(), HashMap::new());
        for word in words {
            if let Some(entry) = self.assignment(line, &word) {
                self.set(&mut vars, &mut seen, entry);
            }
        }
        Some(HostLine { pattern: first.text, span, vars })
    }

    fn assignment(&mut self, line: &Line, word: &words::Word) -> Option<Entry> {
        let at = |start: usize, end: usize| Span::new(Arc::clone(self.source), line.start + start..line.start + end);
        let Some((key, value)) = word.text.split_once('=') else {
            let problem = Problem::new("HW0136", "a host's variable is `name=value`").at(&at(word.start, word.end));
            let hint = "put a value with blanks into quotes; one host a line, and a comment begins with `#`";
            self.problems.push(problem.hides_value().hint(hint));
            return None;
        };
        let equals = word.equals.unwrap_or(word.start);
        self.entry(key, at(word.start, equals), value, at((equals + 1).min(word.end), word.end))
    }

    fn variable(&mut self, line: &Line) -> Option<Entry> {
        let Some((key, value)) = line.text.split_once('=') else {
            let problem = self.problem(line, "a variable of a group is `name=value`").hides_value();
            self.problems.push(problem.hint("a comment stands on its own line"));
            return None;
        };
        let (key, value) = (lines::strip(key), Line::new(value, line.start + key.len() + 1));
        let key_span = Span::new(Arc::clone(self.source), line.start..line.start + key.len());
        self.entry(key, key_span, value.text, Span::new(Arc::clone(self.source), value.start..value.end()))
    }

    fn entry(&mut self, key: &str, key_span: Span, value: &str, span: Span) -> Option<Entry> {
        if key.is_empty() {
            self.problems.push(Problem::new("HW0136", "a variable without a name").at(&key_span).hides_value());
            return None;
        }
        match literal::read(value, &span) {
            Ok(value) => {
                let value = super::yaml::secret(Node { span, value }.without_markers(), self.problems);
                self.nodes += size(&value);
                Some(Entry { key: without_markers(key).into_owned(), key_span, value })
            }
            Err(why) => {
                let problem = Problem::new("HW0137", format!("the value of `{key}` cannot be read: {why}")).at(&span);
                let hint = "put the whole value into quotes to make it a text: `name='\"...\"'`";
                self.problems.push(problem.hides_value().hint(hint));
                None
            }
        }
    }

    /// The last value of a name wins, as in Ansible.
    fn set(&mut self, vars: &mut Vec<Entry>, seen: &mut HashMap<String, usize>, entry: Entry) {
        if let Some(earlier) = seen.get(&entry.key).and_then(|at| vars.get_mut(*at)) {
            let note = Problem::note("HW0139", format!("`{}` is set twice here: the last one wins", entry.key));
            self.problems.push(note.at(&entry.key_span).hint("remove one of the two"));
            *earlier = entry;
        } else {
            seen.insert(entry.key.clone(), vars.len());
            vars.push(entry);
        }
    }

    fn child(&mut self, line: &Line) -> Option<(String, Span)> {
        let end = line.text.find(|c: char| c == ':' || c == ']' || lines::blank(c)).unwrap_or(line.text.len());
        let (name, rest) = line.text.split_at_checked(end)?;
        let rest = rest.trim_start_matches(lines::blank);
        if name.is_empty() || !(rest.is_empty() || rest.starts_with('#')) {
            let problem = self.problem(line, "a line below `:children` is the name of one group");
            self.problems.push(problem.hint("variables go below `[group:vars]`, hosts below `[group]`"));
            return None;
        }
        Some((
            without_markers(name).into_owned(),
            Span::new(Arc::clone(self.source), line.start..line.start + name.len()),
        ))
    }

    fn span(&self, line: &Line) -> Span {
        Span::new(Arc::clone(self.source), line.start..line.end())
    }

    fn problem(&self, line: &Line, message: &str) -> Problem {
        Problem::new("HW0136", message).at(&self.span(line))
    }
}

/// The group and the kind of `[group]` or `[group:kind]`, with a comment behind it or without.
fn header(line: &str) -> Option<(&str, Option<&str>)> {
    let inner = line.strip_prefix('[')?;
    let end = inner.find(|c: char| c == ':' || c == ']' || lines::blank(c)).filter(|end| *end > 0)?;
    let (name, mut rest) = inner.split_at_checked(end)?;
    let mut kind = None;
    if let Some(behind) = rest.strip_prefix(':') {
        let end = behind.find(|c: char| !c.is_alphanumeric() && c != '_').filter(|end| *end > 0)?;
        (kind, rest) = (behind.get(..end), behind.get(end..)?);
    }
    let rest = rest.strip_prefix(']')?.trim_start_matches(lines::blank);
    (rest.is_empty() || rest.starts_with('#')).then_some((name, kind))
}

fn size(node: &Node) -> usize {
    match &node.value {
        NodeValue::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        NodeValue::Map(entries) => 1 + entries.iter().map(|entry| size(&entry.value)).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
