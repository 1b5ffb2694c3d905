//! The names of a CREATE's columns (pure).

use super::super::cursor::{Cursor, by_commas};
use super::super::token::Token;

/// Reads the names in a column list.
///
/// Nothing where the list holds a `Nested` column (the server flattens it into others), or something that is no column.
pub(super) fn names(text: &str, group: &[Token]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in by_commas(text, group) {
        let mut cursor = Cursor::new(text, part);
        if is_no_column(&cursor) {
            continue;
        }
        let mut name = cursor.name()?;
        // `n.a` is one column's name: an element of a flattened `Nested`.
        while cursor.take_symbol(".") {
            name = format!("{name}.{}", cursor.name()?);
        }
        if cursor.sees(&["Nested"]) {
            return None;
        }
        names.push(name);
    }
    (!names.is_empty()).then_some(names)
}

/// Indexes, constraints and keys stand in the list beside the columns; each may also be a column's name.
fn is_no_column(cursor: &Cursor<'_>) -> bool {
    let mut after = cursor.clone();
    (after.take(&["PRIMARY", "KEY"]) || after.take(&["FOREIGN", "KEY"]))
        || (after.take(&["PROJECTION"]) && after.name().is_some() && (after.sees_symbol("(") || after.sees(&["INDEX"])))
        || (after.take(&["CONSTRAINT"])
            && after.name().is_some()
            && (after.sees(&["CHECK"]) || after.sees(&["ASSUME"])))
        || is_index(cursor)
}

/// `INDEX name expression TYPE ...`; a column `index String` has no such TYPE.
fn is_index(cursor: &Cursor<'_>) -> bool {
    let mut after = cursor.clone();
    if !after.take(&["INDEX"]) || after.name().is_none() {
        return false;
    }
    while !after.is_done() {
        if after.take(&["TYPE"]) {
            return true;
        }
        after.skip();
    }
    false
}
