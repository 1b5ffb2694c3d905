//! The values of Python literals, and what Ansible makes of them (pure): tuples and sets become lists, complex numbers text.

use std::collections::HashSet;

use crate::inventory::node::{Entry, Node, NodeValue};
use crate::inventory::number;
use crate::problem::Span;
use crate::secret::without_markers;

/// A value that a literal stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    None,
    Bool(bool),
    /// A [`NodeValue::Number`] or [`NodeValue::Wide`].
    Integer(NodeValue),
    Float(f64),
    Complex(f64, f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Tuple(Vec<Self>),
    /// A set, in the order in which it was written; Python's own order is that of a hash table.
    Set(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

/// What may be done to a part of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unsigned number.
    Number,
    /// A number with its sign.
    Signed,
    /// Anything else.
    Other,
}

impl Literal {
    pub(super) fn set(items: Vec<Self>) -> Self {
        let mut seen = HashSet::new();
        Self::Set(items.into_iter().filter(|item| seen.insert(item.identity())).collect())
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Float(value) => Self::Float(-value),
            Self::Complex(real, imaginary) => Self::Complex(-real, -imaginary),
            Self::Integer(value) => {
                let digits = digits(&value);
                Self::Integer(number::integer(true, &digits, 10).unwrap_or(value))
            }
            other => other,
        }
    }

    /// Adds a complex number to a real or complex one, or takes it away.
    pub(super) fn plus(self, right: &Self, minus: bool) -> Option<Self> {
        let left = match self {
            Self::Integer(value) => digits(&value).parse().ok().filter(|value: &f64| value.is_finite())?,
            Self::Float(value) => value,
            _ => return None,
        };
        let Self::Complex(real, imaginary) = *right else { return None };
        Some(if minus {
            Self::Complex(left - real, 0.0 - imaginary)
        } else {
            Self::Complex(left + real, 0.0 + imaginary)
        })
    }

    pub(super) fn hashable(&self) -> bool {
        match self {
            Self::Map(_) | Self::Set(_) | Self::List(_) => false,
            Self::Tuple(items) => items.iter().all(Self::hashable),
            _ => true,
        }
    }

    /// Equal for values that Python holds for equal: `1`, `1.0` and `True`.
    fn identity(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Bool(flag) => format!("n{}", u8::from(*flag)),
            Self::Integer(value) => format!("n{}", digits(value)),
            Self::Float(value) if value.fract() == 0.0 => format!("n{:.0}", value + 0.0),
            Self::Float(value) => format!("n{value}"),
            Self::Complex(real, imaginary) if *imaginary == 0.0 => Self::Float(*real).identity(),
            Self::Complex(real, imaginary) => format!("c{real} {imaginary}"),
            Self::Text(text) => format!("t{text}"),
            Self::Bytes(bytes) => format!("b{bytes:?}"),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                format!("l{:?}", items.iter().map(Self::identity).collect::<Vec<_>>())
            }
            Self::Map(_) => String::new(),
        }
    }

    pub(super) fn into_value(self, span: &Span) -> Result<NodeValue, &'static str> {
        Ok(match self {
            Self::None => NodeValue::Null,
            Self::Bool(flag) => NodeValue::Bool(flag),
            Self::Integer(value) => value,
            Self::Float(value) => number::float(value),
            Self::Complex(real, imaginary) => NodeValue::Text(complex(real, imaginary)),
            Self::Text(text) => NodeValue::Text(without_markers(&text).into_owned()),
            Self::Bytes(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| "bytes that are not UTF-8")?;
                NodeValue::Text(without_markers(&text).into_owned())
            }
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                let items = items.into_iter().map(|item| node(item, span));
                NodeValue::List(items.collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => map(entries, span)?,
        })
    }

    /// The key as Python's JSON writes it.
    fn key(&self) -> Result<String, &'static str> {
        Ok(match self {
            Self::None => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Integer(value) => digits(value),
            Self::Float(value) => number::repr(*value).replace("inf", "Infinity"),
            Self::Text(text) => without_markers(text).into_owned(),
            _ => return Err("a key of a mapping must be a text, a number, `True`, `False` or `None`"),
        })
    }
}

fn node(literal: Literal, span: &Span) -> Result<Node, &'static str> {
    Ok(Node { span: span.clone(), value: literal.into_value(span)? })
}

/// Of equal keys the first stays, with the last one's value.
fn map(written: Vec<(Literal, Literal)>, span: &Span) -> Result<NodeValue, &'static str> {
    let mut entries: indexmap::IndexMap<String, Entry> = indexmap::IndexMap::new();
    for (key, value) in written {
        let (identity, value) = (key.identity(), node(value, span)?);
        if let Some(entry) = entries.get_mut(&identity) {
            entry.value = value;
        } else {
            entries.insert(identity, Entry { key: key.key()?, key_span: span.clone(), value });
        }
    }
    Ok(NodeValue::Map(entries.into_values().collect()))
}

fn digits(value: &NodeValue) -> String {
    match value {
        NodeValue::Number(number) => number.to_string(),
        NodeValue::Wide(text) => text.clone(),
        _ => String::new(),
    }
}

/// As Python's `str` writes it: in its parts, whole numbers have no `.0`.
fn complex(real: f64, imaginary: f64) -> String {
    let part = |value: f64| number::repr(value).trim_end_matches(".0").to_owned();
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", part(imaginary));
    }
    let plus = if imaginary.is_sign_negative() { "" } else { "+" };
    format!("({}{plus}{}j)", part(real), part(imaginary))
}
