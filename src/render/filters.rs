//! The few filters that templates need beside Tera's own (pure).

use std::collections::BTreeMap;

use tera::{Error, Kwargs, Map, State, Tera, TeraResult, Value};

use super::engine::escape;

/// Adds the filters.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("pad", pad);
    tera.register_filter("pairs", pairs);
    tera.register_filter("keys", keys);
    tera.register_filter("values", values);
    tera.register_filter("elements", elements);
}

/// `{{ host.shard | pad(width=2) }}`: zeros in front.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
fn pad(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let width = arguments.must_get::<usize>("width")?;
    Ok(format!("{:0>width$}", value.to_string()))
}

/// `{% for pair in map | pairs %}`: `[key, value]`, sorted by key.
fn pairs(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_iter().map(|(key, value)| Value::from(vec![Value::from(key), value.clone()])).collect()
}

/// A map's keys, sorted.
fn keys(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_keys().map(Value::from).collect()
}

/// A map's values, sorted by key.
fn values(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_values().cloned().collect()
}

fn sorted(map: &Map) -> BTreeMap<String, &Value> {
    map.iter().map(|(key, value)| (key.to_string(), value)).collect()
}

/// `{{ settings | elements(indent=4) }}`: a map as XML elements, nested maps as nested elements, a list as the element
/// repeated, `true` as 1 and `false` as 0, a key that starts with `@` as an attribute. Sorted by key; one per line.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
fn elements(map: &Map, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let indent = arguments.get::<usize>("indent")?.unwrap_or_default();
    let mut out = Vec::new();
    for (name, value) in sorted(map) {
        write_element(&name, value, indent, &mut out)?;
    }
    let text = String::from_utf8(out)?;
    Ok(Value::safe_string(text.trim_end_matches('\n')))
}

fn write_element(name: &str, value: &Value, indent: usize, out: &mut Vec<u8>) -> TeraResult<()> {
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
    out.extend(std::iter::repeat_n(b' ', indent));
    out.extend(format!("<{name}").bytes());
    let map = value.as_map().map(sorted).unwrap_or_default();
    for (key, attribute) in map.iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value))) {
        out.extend(format!(" {key}=\"").bytes());
        escape(&scalar(attribute), out)?;
        out.push(b'"');
    }
    let children: Vec<_> = map.iter().filter(|(key, _)| !key.starts_with('@')).collect();
    if value.is_none() || (value.is_map() && children.is_empty()) {
        out.extend(b"/>\n");
        return Ok(());
    }
    out.push(b'>');
    if value.is_map() {
        out.push(b'\n');
        for (key, child) in children {
            write_element(key, child, indent + 4, out)?;
        }
        out.extend(std::iter::repeat_n(b' ', indent));
    } else {
        escape(&scalar(value), out)?;
    }
    out.extend(format!("</{name}>\n").bytes());
    Ok(())
}

fn scalar(value: &Value) -> String {
    match value.as_bool() {
        Some(truth) => u8::from(truth).to_string(),
        None => value.to_string(),
    }
}
