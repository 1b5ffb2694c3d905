//! A map as ClickHouse's YAML (pure).
//!
//! It says the same as [`super::xml::elements`] does: a sequence repeats its element, `@key` is an attribute, `#text` is the text
//! ([the server's own form](https://clickhouse.com/docs/operations/configuration-files#example-1)).

use tera::{Error, Kwargs, Map, State, TeraResult, Value};

use super::{scalar, sorted};
use crate::render::escape::Escape;

/// How far a level is set in.
const STEP: usize = 2;

/// `{{ settings | yaml(indent=2) }}`: a map as block YAML, sorted by key; texts stand in double quotes.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
pub(super) fn yaml(map: &Map, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let indent = arguments.get::<usize>("indent")?.unwrap_or_default();
    let mut lines = Vec::new();
    entries(map, indent, &mut lines)?;
    Ok(Value::safe_string(&lines.join("\n")))
}

fn entries(map: &Map, indent: usize, lines: &mut Vec<String>) -> TeraResult<()> {
    for (key, value) in sorted(map) {
        let head = format!("{}{}:", " ".repeat(indent), name(&key)?);
        match (value.as_array(), value.as_map()) {
            // An empty list repeats its element no times.
            (Some([]), _) => {}
            (Some(items), _) => {
                lines.push(head);
                items.iter().try_for_each(|item| list_item(item, indent + STEP, lines))?;
            }
            (None, Some(map)) if !map.is_empty() => {
                lines.push(head);
                entries(map, indent + STEP, lines)?;
            }
            _ => lines.push(format!("{head} {}", leaf(value))),
        }
    }
    Ok(())
}

/// `- ` before the first line of what the item would be by itself.
fn list_item(item: &Value, indent: usize, lines: &mut Vec<String>) -> TeraResult<()> {
    let dash = format!("{}- ", " ".repeat(indent));
    let Some(map) = item.as_map().filter(|map| !map.is_empty()) else {
        if item.is_array() {
            return Err(Error::message("a list within a list is no element"));
        }
        lines.push(format!("{dash}{}", leaf(item)));
        return Ok(());
    };
    let at = lines.len();
    entries(map, indent + STEP, lines)?;
    if let Some(first) = lines.get_mut(at) {
        *first = format!("{dash}{}", first.trim_start());
    }
    Ok(())
}

/// Numbers as they are, everything else in double quotes; nothing and an empty map are an empty element.
fn leaf(value: &Value) -> String {
    if value.is_none() || value.is_map() {
        return "{}".to_owned();
    }
    let text = scalar(value);
    if value.is_number() || value.is_bool() { text } else { format!("\"{}\"", Escape::Yaml.around_markers(&text)) }
}

/// A key, in quotes where it is no plain word.
fn name(key: &str) -> TeraResult<String> {
    let word = key.strip_prefix(['@', '#']).unwrap_or(key);
    let first = |c: char| c.is_alphabetic() || c == '_';
    if !word.starts_with(first) || !word.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
        return Err(Error::message(format!("`{key}` cannot be the name of an element")));
    }
    Ok(if word.len() == key.len() { key.to_owned() } else { format!("\"{key}\"") })
}
