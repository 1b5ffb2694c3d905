//! A map as XML elements (pure).

use std::fmt::Write;

use tera::{Error, Kwargs, Map, State, TeraResult, Value};

use super::{scalar, sorted};
use crate::render::escape::Escape;

/// What holds an element's own text where it has attributes as well.
pub(super) const TEXT: &str = "#text";

/// `{{ settings | elements(indent=4) }}`: a map as XML elements, nested maps as nested elements, a list as the element
/// repeated, `true` as 1 and `false` as 0, a key that starts with `@` as an attribute, `#text` as the element's text. Sorted
/// by key; one per line.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
pub(super) fn elements(map: &Map, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let indent = arguments.get::<usize>("indent")?.unwrap_or_default();
    let mut out = String::new();
    for (name, value) in sorted(map) {
        write_element(&name, value, indent, &mut out)?;
    }
    Ok(Value::safe_string(out.trim_end_matches('\n')))
}

fn write_element(name: &str, value: &Value, indent: usize, out: &mut String) -> TeraResult<()> {
    if name.starts_with('@') {
        return Ok(());
    }
    let first = |c: char| c.is_alphabetic() || c == '_';
    if !name.starts_with(first) || !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
        return Err(Error::message(format!("`{name}` cannot be the name of an XML element")));
    }
    if let Some(items) = value.as_array() {
        return items.iter().try_for_each(|item| write_element(name, item, indent, out));
    }
    out.extend(std::iter::repeat_n(' ', indent));
    let _ = write!(out, "<{name}");
    let map = value.as_map().map(sorted).unwrap_or_default();
    for (key, attribute) in map.iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value))) {
        let _ = write!(out, " {key}=\"{}\"", Escape::Xml.around_markers(&scalar(attribute)));
    }
    let children: Vec<_> = map.iter().filter(|(key, _)| !key.starts_with('@') && *key != TEXT).collect();
    let text = if value.is_map() { map.get(TEXT).copied() } else { Some(value).filter(|value| !value.is_none()) };
    match text {
        Some(_) if !children.is_empty() => {
            return Err(Error::message(format!("`{name}` cannot have both a text and elements")));
        }
        Some(text) => {
            let _ = writeln!(out, ">{}</{name}>", Escape::Xml.around_markers(&scalar(text)));
        }
        None if children.is_empty() => out.push_str("/>\n"),
        None => {
            out.push_str(">\n");
            for (key, child) in children {
                write_element(key, child, indent + 4, out)?;
            }
            out.extend(std::iter::repeat_n(' ', indent));
            let _ = writeln!(out, "</{name}>");
        }
    }
    Ok(())
}
