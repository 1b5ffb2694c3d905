//! `placement_tags`: which tags say what a host is (pure). Housewright's own key.

use crate::inventory::fields::{Codes, Fields};
use crate::problem::Span;

/// The keys, each with the variable that it gives.
const KEYS: [(&str, &str, Form); 4] = [
    ("role", "hostClusterRole", Form::Text),
    ("shard", "shard", Form::Number),
    ("replica", "replica", Form::NumberOrText),
    ("keeper_id", "keeper_id", Form::Number),
];

/// What a tag's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A whole number from 1.
    Number,
    /// A number where it is one.
    NumberOrText,
}

/// A tag that gives a variable.
#[derive(Debug, Clone)]
pub struct PlacementTag {
    /// The variable.
    pub variable: &'static str,
    /// The tag's key.
    pub tag: String,
    /// What its value must be.
    pub form: Form,
    /// Whether every instance must have it.
    pub required: bool,
    /// Where the file says so.
    pub span: Span,
}

pub(super) fn read(codes: Codes, fields: &mut Fields<'_, '_>) -> Vec<PlacementTag> {
    let Some(node) = fields.get("placement_tags") else { return Vec::new() };
    let known = KEYS.map(|(key, ..)| key);
    let Some(mut entries) = Fields::open(node, "`placement_tags`", &known, codes, fields.problems()) else {
        return Vec::new();
    };
    let mut tags = Vec::new();
    for (key, variable, form) in KEYS {
        if let (Some(node), Some(tag)) = (entries.get(key), entries.text(key)) {
            tags.push(PlacementTag { variable, tag, form, required: key == "role", span: node.span.clone() });
        }
    }
    tags
}
