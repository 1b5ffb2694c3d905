//! What was written, with its expressions read once, however many hosts inherit it (pure).

use crate::inventory::{Node, NodeValue};
use crate::jinja::{Template, Value, Wrong, from_json};
use crate::problem::Span;

/// A written value with at least one expression in it.
#[derive(Debug)]
pub(super) enum Written {
    /// No expression in this part.
    Plain(Value),
    /// A text with braces.
    Text { template: Result<Template, Wrong>, text: String, span: Span },
    /// A list with expressions in it.
    List(Vec<Self>),
    /// A mapping with expressions in its values; keys are taken as they are.
    Map(Vec<(String, Self)>),
}

/// Tells whether a value holds an expression anywhere.
pub(in super::super) fn holds_expression(node: &Node) -> bool {
    match &node.value {
        NodeValue::Text(text) => Template::is_in(text),
        NodeValue::List(items) => items.iter().any(holds_expression),
        NodeValue::Map(entries) => entries.iter().any(|entry| holds_expression(&entry.value)),
        _ => false,
    }
}

impl Written {
    /// Reads the expressions of a value.
    pub fn new(node: &Node) -> Self {
        if !holds_expression(node) {
            return Self::Plain(from_json(&node.to_json()));
        }
        match &node.value {
            NodeValue::Text(text) => {
                Self::Text { template: Template::new(text), text: text.clone(), span: node.span.clone() }
            }
            NodeValue::List(items) => Self::List(items.iter().map(Self::new).collect()),
            NodeValue::Map(entries) => {
                Self::Map(entries.iter().map(|entry| (entry.key.clone(), Self::new(&entry.value))).collect())
            }
            _ => Self::Plain(from_json(&node.to_json())),
        }
    }
}
