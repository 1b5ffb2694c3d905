//! The ENGINE clause: name, arguments and settings (pure).

use super::super::cursor::{Cursor, by_commas};
use super::super::quote::unquote;
use super::super::token::{Token, TokenKind};

/// An engine as a statement writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its name.
    pub name: String,
    /// Its arguments, split at the top-level commas.
    pub arguments: Vec<Argument>,
    /// The pairs of `SETTINGS`, in order.
    pub settings: Vec<(String, Value)>,
}

/// One argument of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name before `=`, where it has one.
    pub key: Option<String>,
    /// What it is.
    pub value: Value,
}

/// An argument's or a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, its quotes and escapes taken off.
    Text(String),
    /// An identifier, `database.name` included.
    Name(String),
    /// A number, as it is written.
    Number(String),
    /// Anything else: its tokens with one blank between them.
    Expression(String),
}

impl Value {
    /// A string's or name's or number's text; nothing for an expression.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Name(text) | Self::Number(text) => Some(text),
            Self::Expression(_) => None,
        }
    }
}

impl Engine {
    /// The value of a setting, whether written as `key = value` argument or under `SETTINGS`.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Value> {
        let argument = self.arguments.iter().find(|argument| argument.key.as_deref() == Some(name));
        argument
            .map(|argument| &argument.value)
            .or_else(|| self.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value))
    }

    /// The n-th argument without a key, from 0.
    #[must_use]
    pub fn positional(&self, index: usize) -> Option<&Value> {
        self.arguments.iter().filter(|argument| argument.key.is_none()).nth(index).map(|argument| &argument.value)
    }
}

/// Reads what follows `ENGINE`.
pub(super) fn read(text: &str, cursor: &mut Cursor<'_>) -> Option<Engine> {
    cursor.take_symbol("=");
    let name = cursor.name()?;
    let group = cursor.group_of("(").unwrap_or_default();
    let arguments = by_commas(text, group).into_iter().map(|part| argument(text, part)).collect();
    Some(Engine { name, arguments, settings: Vec::new() })
}

/// Reads the pairs that follow `SETTINGS`; a dictionary's stand in brackets.
pub(super) fn settings(text: &str, cursor: &mut Cursor<'_>) -> Vec<(String, Value)> {
    if let Some(group) = cursor.group_of("(") {
        return by_commas(text, group)
            .into_iter()
            .filter_map(|part| pair(text, &mut Cursor::new(text, part)))
            .collect();
    }
    let mut pairs = Vec::new();
    while let Some(pair) = pair(text, cursor) {
        pairs.push(pair);
        if !cursor.take_symbol(",") {
            break;
        }
    }
    pairs
}

fn pair(text: &str, cursor: &mut Cursor<'_>) -> Option<(String, Value)> {
    let mark = cursor.at();
    let key = cursor.name();
    if let (Some(key), true) = (key, cursor.take_symbol("="))
        && let Some(token) = cursor.token()
    {
        let start = cursor.at();
        if cursor.group().is_none() {
            cursor.skip();
            // A sign, or a function's arguments.
            if matches!(token.text(text), "-" | "+") || cursor.sees_symbol("(") {
                cursor.skip_one();
            }
        }
        return Some((key, value(text, cursor.between(start))));
    }
    cursor.seek(mark);
    None
}

fn argument(text: &str, part: &[Token]) -> Argument {
    let mut cursor = Cursor::new(text, part);
    if let (Some(key), true) = (cursor.name(), cursor.take_symbol("=")) {
        return Argument { key: Some(key), value: value(text, cursor.rest()) };
    }
    Argument { key: None, value: value(text, part) }
}

fn value(text: &str, tokens: &[Token]) -> Value {
    if let [token] = tokens {
        let plain = unquote(token.text(text));
        match token.kind {
            TokenKind::Text | TokenKind::Heredoc => return Value::Text(plain),
            TokenKind::Word | TokenKind::Quoted => return Value::Name(plain),
            TokenKind::Number => return Value::Number(plain),
            _ => {}
        }
    }
    let mut cursor = Cursor::new(text, tokens);
    if let Some((Some(database), name)) = cursor.qualified()
        && cursor.is_done()
    {
        return Value::Name(format!("{database}.{name}"));
    }
    let texts: Vec<&str> = tokens.iter().map(|token| token.text(text)).collect();
    Value::Expression(texts.join(" "))
}
