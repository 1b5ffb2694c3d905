//! Types scalars, sequences and mappings by their tags, as Ansible's reader does (pure).

use serde_saphyr::granit_parser::{Event, ScalarStyle, Tag};

use super::{Built, Reader, Stop, stop};
use crate::inventory::node::{Node, NodeValue};
use crate::inventory::{number, scalar};
use crate::problem::{Problem, Span};
use crate::secret::vault::VaultError;

const YAML: &str = "tag:yaml.org,2002:";

impl Reader<'_> {
    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> NodeValue {
        let tag = tag.map(name);
        let typed = match tag.as_deref() {
            None if style != ScalarStyle::Plain => return NodeValue::Text(text.to_owned()),
            None => match exponent(text).filter(|_| self.is_json()) {
                Some(value) => Ok(number::float(value)),
                None => scalar::typed(text),
            },
            // libyaml takes what is behind `!` for unquoted.
            Some("!") if text.is_empty() => return NodeValue::Text(String::new()),
            Some("!") => scalar::typed(text),
            Some("!unsafe") if scalar::is_date(text) => scalar::typed(text),
            Some("!unsafe") => scalar::typed(text).map(untemplated),
            Some("!vault" | "!vault-encrypted") => return self.vaulted(text, span),
            Some(tag) => tag.strip_prefix(YAML).and_then(|name| scalar::tagged(name, text)).unwrap_or_else(|| {
                self.problems.push(unknown(tag, text, span));
                Ok(NodeValue::Null)
            }),
        };
        typed.unwrap_or_else(|why| {
            let problem = Problem::new("HW0137", format!("Ansible does not read this value: {why}")).at(span);
            self.problems.push(problem.hint("put it into quotes to make it a text"));
            NodeValue::Null
        })
    }

    /// A collection whose start was just read, as its tag has it: `known` are the plain tag and those that make pairs or sets.
    pub(super) fn tagged(
        &mut self,
        tag: Option<&Tag>,
        [plain, special, other]: [&str; 3],
        span: Span,
        depth: usize,
    ) -> Result<Built, Stop> {
        let tag = tag.map(name);
        let known = tag.as_deref().map(|tag| tag.strip_prefix(YAML).unwrap_or(tag));
        let sequence = plain == "seq";
        let mut built = match known {
            Some(name) if name == special || (sequence && name == other) => {
                return if sequence { self.pairs(span, depth) } else { self.set(span, depth) };
            }
            _ if sequence => self.list(span, depth)?,
            _ => self.map(span, depth)?,
        };
        match known {
            Some("!unsafe") => built.node.protect(),
            Some("!vault" | "!vault-encrypted") => {
                self.problems.push(super::vault::damaged(&VaultError::NotVault).at(&built.node.span).hides_value());
            }
            Some(name) if name != plain && name != "!" => {
                let tag = tag.as_deref().unwrap_or_default();
                self.problems
                    .push(Problem::new("HW0107", format!("the tag `{tag}` is not known")).at(&built.node.span));
            }
            _ => {}
        }
        Ok(built)
    }

    /// `!!omap` and `!!pairs`: a sequence of mappings of one key each, which are lists of two.
    fn pairs(&mut self, mut span: Span, depth: usize) -> Result<Built, Stop> {
        let (mut items, mut size, mut height) = (Vec::new(), 1, 1);
        loop {
            let (event, at) = self.next()?;
            let mut place = self.span(&at);
            if event == Event::SequenceEnd {
                span.range.end = place.range.end.max(span.range.end);
                return Ok(Built { node: Node { span, value: NodeValue::List(items) }, size, height });
            }
            let mut pair = Vec::new();
            if matches!(event, Event::MappingStart(..)) {
                while let (event, at) = self.next()?
                    && event != Event::MappingEnd
                {
                    let part = self.node(event, &at, depth + 2)?;
                    (size, height) = (size + part.size, height.max(part.height + 2));
                    place.range.end = place.range.end.max(part.node.span.range.end);
                    pair.push(part.node);
                }
            }
            if pair.len() != 2 {
                return stop(Problem::new("HW0104", "`!!omap` and `!!pairs` take mappings of one key each").at(&place));
            }
            (size, height) = (size + 1, height.max(3));
            items.push(Node { span: place, value: NodeValue::List(pair) });
        }
    }

    pub(super) fn is_json(&mut self) -> bool {
        let text = &self.source.text;
        *self.json.get_or_insert_with(|| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
    }
}

/// The text of a tag without a value may be a password.
fn unknown(tag: &str, text: &str, span: &Span) -> Problem {
    if text.is_empty() {
        let problem = Problem::new("HW0107", "a tag that is not known, and no value").at(span).hides_value();
        problem.hint("a text that begins with `!` stands in quotes")
    } else {
        Problem::new("HW0107", format!("the tag `{tag}` is not known")).at(span)
    }
}

fn name(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

/// A number that only JSON takes for one: Ansible reads a text as YAML only where it is no JSON.
fn exponent(text: &str) -> Option<f64> {
    let number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && text.contains(['e', 'E']);
    number.then(|| text.parse().ok()).flatten()
}

fn untemplated(value: NodeValue) -> NodeValue {
    match value {
        NodeValue::Text(text) => NodeValue::Unsafe(text),
        other => other,
    }
}
