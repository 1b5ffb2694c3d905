//! Whether a written value has its shape, and where it has not (pure).

use super::shape::{Need, Others, Record, Shape};
use crate::inventory::{Entry, Node, NodeValue};
use crate::problem::near_name;

/// A value, or a part of one, that does not have its shape.
#[derive(Debug)]
pub struct Misfit<'n> {
    /// The part.
    pub node: &'n Node,
    /// What is wrong, such as "must be a list, not `nvme1n1`", behind the key's name.
    pub why: String,
    /// What to write instead, where that is clear.
    pub hint: Option<String>,
}

/// Whether mappings with keys of their own are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Records {
    Left,
    Judged,
}

/// Every key that is missing, unknown or does not fit; an expression is not looked into, it has its type when it has its value.
fn of_record<'n>(record: &Record, node: &'n Node, entries: &'n [Entry], found: &mut Vec<Misfit<'n>>) {
    for key in record.keys.iter().filter(|key| key.need == Need::Required) {
        if node.get(key.name).is_none_or(Node::is_null) {
            found.push(Misfit { node, why: format!("lacks `{}`", key.name), hint: key.advice() });
        }
    }
    for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
        match record.key(&entry.key) {
            Some(_) if is_expression(&entry.value) => {}
            Some(key) => {
                let part = format!("`{}` ", key.name);
                key.shape.fit(&entry.value, &part, Records::Judged, found);
            }
            None if record.others == Others::Allowed => {}
            None => {
                let hint = near_name(&entry.key, record.names());
                found.push(Misfit { node: &entry.value, why: format!("`{}` is no key of it", entry.key), hint });
            }
        }
    }
}

/// It has its type when it has its value.
fn is_expression(node: &Node) -> bool {
    node.text().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

impl Shape {
    /// Every part of a value that does not fit. Mappings with keys of their own, and secrets, are left to their readers.
    #[must_use]
    pub fn misfits<'n>(&self, node: &'n Node) -> Vec<Misfit<'n>> {
        let mut found = Vec::new();
        self.fit(node, "", Records::Left, &mut found);
        found
    }

    /// The same, with the mappings that have keys of their own looked into: for what has no reader but a template.
    #[must_use]
    pub fn misfits_within<'n>(&self, node: &'n Node) -> Vec<Misfit<'n>> {
        let mut found = Vec::new();
        self.fit(node, "", Records::Judged, &mut found);
        found
    }

    fn fit<'n>(&self, node: &'n Node, part: &str, records: Records, found: &mut Vec<Misfit<'n>>) {
        if self.takes(node) {
            return match (self, &node.value) {
                (Self::List(item) | Self::OneOrList(item), NodeValue::List(items)) => {
                    let known = items.iter().filter(|node| records == Records::Left || !is_expression(node));
                    known.for_each(|node| item.fit(node, "each item ", records, found));
                }
                // Null is a key without a value yet: absent.
                (Self::Map(value), NodeValue::Map(entries)) => {
                    let written = entries.iter().filter(|entry| !entry.value.is_null());
                    written.for_each(|entry| value.fit(&entry.value, "each value ", records, found));
                }
                (Self::Record(record), NodeValue::Map(entries))
                    if records == Records::Judged && !entries.is_empty() =>
                {
                    of_record(record, node, entries, found);
                }
                _ => {}
            };
        }
        let why = format!("{part}must be {}, not {}", self.expected(), described(node));
        found.push(Misfit { node, why, hint: self.hint(node) });
    }

    /// Whether the value itself fits, whatever is in it.
    fn takes(&self, node: &Node) -> bool {
        let text = || node.scalar_text().filter(|text| !text.is_empty());
        match self {
            Self::Any | Self::Secret => true,
            Self::Text => text().is_some(),
            Self::Flag => node.flag().is_some(),
            Self::Whole(from, to) => node.whole().is_some_and(|number| (*from..=*to).contains(&number)),
            Self::Port => node.port().is_some(),
            Self::Choice(choices) => choices.iter().any(|choice| Some(choice.word) == node.text()),
            Self::Ruled(_, _, rule) => text().is_some_and(|text| rule(&text)),
            Self::Mode => node.mode().is_some(),
            Self::List(_) => node.items().is_some(),
            Self::OneOrList(item) => node.items().is_some() || item.takes(node),
            Self::Map(_) | Self::Record(_) | Self::Defined(_) => node.entries().is_some(),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.takes(node)),
        }
    }

    fn hint(&self, node: &Node) -> Option<String> {
        match (self, node.scalar_text()) {
            (Self::Choice(choices), Some(text)) => near_name(&text, choices.iter().map(|choice| choice.word)),
            // Without the zero it is decimal to YAML: 644 is not 0644.
            (Self::Mode, Some(text)) if text.len() == 3 && u32::from_str_radix(&text, 8).is_ok() => {
                Some(format!("write `\"0{text}\"`"))
            }
            (Self::Record(record), Some(_)) => {
                let needed = record.keys.iter().filter(|key| key.need == Need::Required);
                let keys: Vec<_> = needed.map(|key| format!("`{}`", key.name)).collect();
                (!keys.is_empty()).then(|| format!("write a mapping with {}", keys.join(", ")))
            }
            (Self::List(item), Some(text)) if item.takes(node) => Some(format!("write `[{text}]`")),
            _ => None,
        }
    }
}

/// The value as it was written, and what YAML makes of it where that is something else: `no` is false.
fn described(node: &Node) -> String {
    let value = node.describe();
    let written = node.span.source.text.get(node.span.range.clone()).unwrap_or_default().trim();
    let is_plain = matches!(node.value, NodeValue::Bool(_));
    if !is_plain || written.is_empty() || written.len() > 40 || value == format!("`{written}`") {
        return value;
    }
    format!("`{written}`, which YAML reads as {value}")
}
