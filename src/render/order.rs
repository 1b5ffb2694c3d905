//! Templates whose result would depend on the order of a hash map (pure).
//!
//! Tera keeps maps without an order. `{% for key, value in map %}` would give another text on each run, and with it a
//! change that nobody made; the filters `pairs`, `keys` and `values` are ours and sorted by key.

use std::sync::Arc;

use crate::problem::{Problem, Source, Span};

/// Finds loops over a map.
pub(super) fn unordered_loops(source: &Arc<Source>) -> Vec<Problem> {
    let text = &source.text;
    text.match_indices("{%")
        .filter_map(|(start, _)| {
            let end = start + text[start..].find("%}")?;
            let tag = text[start + 2..end].trim_matches(['-', ' ', '\t', '\n']);
            let (names, _) = tag.strip_prefix("for ")?.split_once(" in ")?;
            names.contains(',').then(|| {
                Problem::new("HW0504", "a loop over a map has no fixed order")
                    .at(&Span::new(Arc::clone(source), start..end + 2))
                    .hint("write `{% for pair in map | pairs %}` and use `pair[0]` and `pair[1]`")
            })
        })
        .collect()
}
