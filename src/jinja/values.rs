//! Values as Python shows them, and as JSON has them (pure).

use std::fmt::Write;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde, ValueKind};

use super::Scope;
use super::wrong::missing;

/// A mapping whose values are looked up when they are asked for.
#[derive(Debug)]
pub(super) struct Lazy(pub Arc<dyn Scope>);

impl Object for Lazy {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.0.get(key.as_str()?)?.unwrap_or_else(missing))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.names().into_iter().map(Value::from).collect())
    }
}

/// A list of texts that are the inventory's own names: no secret is among them.
#[derive(Debug)]
pub(super) struct Names(pub Arc<[Value]>);

impl Object for Names {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// A mapping whose values are looked up when they are asked for.
#[must_use]
pub fn lazy(scope: Arc<dyn Scope>) -> Value {
    Value::from_object(Lazy(scope))
}

/// A list of names of hosts or groups, shared between all who see it.
#[must_use]
pub fn names(names: impl IntoIterator<Item = String>) -> Value {
    Value::from_object(Names(names.into_iter().map(Value::from).collect()))
}

/// A value of the inventory.
#[must_use]
pub fn from_json(value: &serde_json::Value) -> Value {
    Value::from(Serde(value))
}

/// The value as JSON; a number too large for JSON's usual types is a float.
#[must_use]
pub fn to_json(value: &Value) -> serde_json::Value {
    match value.kind() {
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number => number(value),
        ValueKind::Seq | ValueKind::Iterable => items(value).iter().map(to_json).collect(),
        ValueKind::Map => {
            let entry = |(key, value): (Value, Value)| (key_text(&key), to_json(&value));
            serde_json::Value::Object(entries(value).into_iter().map(entry).collect())
        }
        ValueKind::Undefined | ValueKind::None | ValueKind::Invalid | ValueKind::Plain => serde_json::Value::Null,
        ValueKind::String | ValueKind::Bytes => value.to_string().into(),
        _ => serde_json::Value::Null,
    }
}

fn number(value: &Value) -> serde_json::Value {
    if value.is_integer() {
        if let Some(whole) = value.as_i64() {
            return whole.into();
        }
        if let Ok(whole) = u64::try_from(value.clone()) {
            return whole.into();
        }
    }
    f64::try_from(value.clone()).map_or(serde_json::Value::Null, Into::into)
}

/// The items of a list.
pub(super) fn items(value: &Value) -> Vec<Value> {
    value.try_iter().map(Iterator::collect).unwrap_or_default()
}

/// The entries of a mapping.
pub(super) fn entries(value: &Value) -> Vec<(Value, Value)> {
    value.as_object().and_then(minijinja::value::DynObject::try_iter_pairs).map(Iterator::collect).unwrap_or_default()
}

pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

pub(super) fn is_map(value: &Value) -> bool {
    value.kind() == ValueKind::Map
}

/// What kind of value it is, for an error text.
pub(super) fn describe(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::None => "nothing",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a mapping",
        _ => "no value",
    }
}

/// A key as JSON writes it.
fn key_text(key: &Value) -> String {
    match key.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => key.is_true().to_string(),
        _ => key.to_string(),
    }
}

/// Python's `str()`.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    if let Some(text) = value.as_str() {
        out.push_str(text);
    } else {
        shown(value, &mut out);
    }
    out
}

/// Python's `repr()`.
fn shown(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if !value.is_integer() => {
            out.push_str(&float(f64::try_from(value.clone()).unwrap_or(f64::NAN)));
        }
        ValueKind::String => quoted(&value.to_string(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (index, item) in items(value).iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                shown(item, out);
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (index, (key, value)) in entries(value).iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                shown(key, out);
                out.push_str(": ");
                shown(value, out);
            }
            out.push('}');
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// The shortest form that reads back, with an exponent where Python has one.
fn float(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
    } else if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        format!("{digits}e{sign}{exponent:0>2}")
    } else {
        let text = number.to_string();
        if text.contains('.') { text } else { format!("{text}.0") }
    }
}

fn quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}
