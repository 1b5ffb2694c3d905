//! A value that the operator wrote, with its place, so that every later stage can say where a mistake is (pure).

use serde_json::{Map, Number, Value};

use crate::problem::Span;
use crate::secret::{SecretRef, without_markers};

/// A value of a YAML document and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it was written.
    pub span: Span,
    /// What was written.
    pub value: NodeValue,
}

/// A value, typed as Ansible's YAML reader types it.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// Nothing, `~` or `null`.
    Null,
    /// `true`, `yes`, `on` and their opposites, unquoted.
    Bool(bool),
    /// An unquoted number.
    Number(Number),
    /// A number that JSON's own type does not hold, as Python writes it: beyond 64 bits, `Infinity`, `-Infinity`, `NaN`.
    Wide(String),
    /// Any other scalar.
    Text(String),
    /// A text that `!unsafe` keeps from being taken for a template.
    Unsafe(String),
    /// A mapping with the single key `from_secret`, or a vaulted value.
    Secret(SecretRef),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order in which it was written; no key stands twice.
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; a number or boolean is in its JSON form.
    pub key: String,
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of a mapping's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            NodeValue::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a sequence.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        match &self.value {
            NodeValue::List(items) => Some(items),
            _ => None,
        }
    }

    /// Takes the meaning of braces from every text in it.
    pub(super) fn protect(&mut self) {
        match &mut self.value {
            NodeValue::Text(text) => self.value = NodeValue::Unsafe(std::mem::take(text)),
            NodeValue::List(items) => items.iter_mut().for_each(Self::protect),
            NodeValue::Map(entries) => entries.iter_mut().for_each(|entry| entry.value.protect()),
            _ => {}
        }
    }

    /// The text of a text scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) | NodeValue::Unsafe(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar's text: a text or a number.
    #[must_use]
    pub fn scalar_text(&self) -> Option<String> {
        match &self.value {
            NodeValue::Text(text) | NodeValue::Unsafe(text) => Some(text.clone()),
            NodeValue::Number(number) => Some(number.to_string()),
            NodeValue::Wide(number) => Some(number.clone()),
            _ => None,
        }
    }

    /// A number as it was written with a leading zero, which YAML 1.1 takes for octal digits.
    #[must_use]
    pub fn octal(&self) -> Option<&str> {
        let NodeValue::Number(_) = self.value else { return None };
        let written = self.span.source.text.get(self.span.range.clone())?.trim();
        let octal = written.len() > 1 && written.starts_with('0') && written.bytes().all(|byte| byte.is_ascii_digit());
        octal.then_some(written)
    }

    /// Permission bits: three or four octal digits, quoted, or with the leading zero that makes them octal to YAML too.
    #[must_use]
    pub fn mode(&self) -> Option<u32> {
        let digits = self.text().or_else(|| self.octal()).filter(|digits| (3..=4).contains(&digits.len()))?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| u32::from_str_radix(digits, 8).ok())?
    }

    /// A whole number from 0, quoted or not; not one that is another in decimal than in octal.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        match &self.value {
            NodeValue::Number(number) => number.as_u64().filter(|number| {
                let decimal = self.octal().and_then(|written| written.parse().ok());
                decimal.is_none_or(|decimal: u64| decimal == *number)
            }),
            NodeValue::Text(text) | NodeValue::Unsafe(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok()
            }
            _ => None,
        }
    }

    /// A whole number, quoted or not.
    #[must_use]
    pub fn whole_number(&self) -> Option<i64> {
        match &self.value {
            NodeValue::Number(number) => number.as_i64(),
            NodeValue::Text(text) | NodeValue::Unsafe(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A TCP port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.whole().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
    }

    /// A boolean, quoted or not.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        match &self.value {
            NodeValue::Bool(flag) => Some(*flag),
            NodeValue::Text(text) | NodeValue::Unsafe(text) => match super::scalar::plain(text) {
                NodeValue::Bool(flag) => Some(flag),
                _ => None,
            },
            _ => None,
        }
    }

    /// Tells whether nothing was written.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// Tells whether a vaulted value is in it.
    #[must_use]
    pub fn is_vaulted(&self) -> bool {
        match &self.value {
            NodeValue::Secret(secret) => matches!(secret, SecretRef::Vault(_)),
            NodeValue::List(items) => items.iter().any(Self::is_vaulted),
            NodeValue::Map(entries) => entries.iter().any(|entry| entry.value.is_vaulted()),
            _ => false,
        }
    }

    /// The value without the characters of secrets' markers: what others wrote cannot refer to a secret.
    #[must_use]
    pub fn without_markers(self) -> Self {
        let value = match self.value {
            NodeValue::Text(text) => NodeValue::Text(without_markers(&text).into_owned()),
            NodeValue::Unsafe(text) => NodeValue::Unsafe(without_markers(&text).into_owned()),
            NodeValue::List(items) => NodeValue::List(items.into_iter().map(Self::without_markers).collect()),
            NodeValue::Map(entries) => {
                let entry = |entry: Entry| Entry { value: entry.value.without_markers(), ..entry };
                NodeValue::Map(entries.into_iter().map(entry).collect())
            }
            other => other,
        };
        Self { span: self.span, value }
    }

    /// The value as JSON; a secret is its marker, and a number that JSON's own type does not hold is a text.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(flag) => Value::Bool(*flag),
            NodeValue::Number(number) => Value::Number(number.clone()),
            NodeValue::Wide(text) | NodeValue::Text(text) | NodeValue::Unsafe(text) => Value::String(text.clone()),
            NodeValue::Secret(secret) => Value::String(secret.marker()),
            NodeValue::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            NodeValue::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Names the value in an error text: `` `one` ``, `a list`, ...
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Bool(flag) => format!("`{flag}`"),
            NodeValue::Number(number) => match self.octal() {
                Some(written) if written.trim_start_matches('0') != number.to_string() => {
                    format!("`{written}`, which is octal to YAML: {number}")
                }
                _ => format!("`{number}`"),
            },
            NodeValue::Wide(number) if number.len() <= 60 => format!("`{number}`"),
            NodeValue::Wide(_) => "a long number".to_owned(),
            NodeValue::Text(text) | NodeValue::Unsafe(text) if text.len() > 60 || text.contains('\n') => {
                "a long text".to_owned()
            }
            NodeValue::Text(text) | NodeValue::Unsafe(text) => format!("`{text}`"),
            NodeValue::Secret(secret) => format!("the secret `{secret}`"),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Map(_) => "a mapping".to_owned(),
        }
    }
}
