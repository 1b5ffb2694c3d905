//! One element of a CREATE's list: a column, an index, a projection or a constraint (pure).

use std::fmt;

use super::super::cursor::Cursor;
use super::super::quote::quote_name;
use super::super::token::{Token, TokenKind};
use super::phrase::Phrase;

/// A column, or an attribute of a dictionary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name; an element of a flattened `Nested` has a dot in it.
    pub name: String,
    /// Its type, with `NULL` or `NOT NULL` where that is written behind it.
    pub data_type: Option<Phrase>,
    /// Its properties by the word that begins them.
    pub properties: Vec<(Property, Phrase)>,
}

/// What is said of a column behind its type, in the order in which the server takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// `DEFAULT expression`.
    Default,
    /// `MATERIALIZED expression`.
    Materialized,
    /// `ALIAS expression`.
    Alias,
    /// `EPHEMERAL`, with an expression or without.
    Ephemeral,
    /// `COMMENT '...'`.
    Comment,
    /// `CODEC(...)`.
    Codec,
    /// `STATISTICS(...)`.
    Statistics,
    /// `TTL expression`.
    Ttl,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `COLLATE name`.
    Collate,
    /// `SETTINGS (...)`.
    Settings,
    /// `EXPRESSION expression` of a dictionary's attribute.
    Expression,
    /// A word of a dictionary's attribute, such as `HIERARCHICAL`.
    Flag,
}

const PROPERTIES: [(&[&str], Property); 16] = [
    (&["DEFAULT"], Property::Default),
    (&["MATERIALIZED"], Property::Materialized),
    (&["ALIAS"], Property::Alias),
    (&["EPHEMERAL"], Property::Ephemeral),
    (&["COMMENT"], Property::Comment),
    (&["CODEC"], Property::Codec),
    (&["STATISTICS"], Property::Statistics),
    (&["TTL"], Property::Ttl),
    (&["PRIMARY", "KEY"], Property::PrimaryKey),
    (&["COLLATE"], Property::Collate),
    (&["SETTINGS"], Property::Settings),
    (&["EXPRESSION"], Property::Expression),
    (&["HIERARCHICAL"], Property::Flag),
    (&["INJECTIVE"], Property::Flag),
    (&["IS_OBJECT_ID"], Property::Flag),
    (&["BIDIRECTIONAL"], Property::Flag),
];

impl Property {
    /// The words that begin it; a flag is its own word.
    #[must_use]
    pub fn words(self) -> String {
        let known = PROPERTIES.iter().find(|(_, property)| *property == self && self != Self::Flag);
        known.map(|(words, _)| words.join(" ")).unwrap_or_default()
    }

    /// The kinds of default, of which a column has one.
    pub const DEFAULTS: [Self; 4] = [Self::Default, Self::Materialized, Self::Alias, Self::Ephemeral];
}

impl Column {
    /// Reads an element of the list; nothing where it is no column.
    pub(super) fn read(text: &str, element: &[Token]) -> Option<Self> {
        let mut cursor = Cursor::new(text, element);
        let mut name = cursor.name()?;
        while cursor.take_symbol(".") {
            name = format!("{name}.{}", cursor.name()?);
        }
        let from = cursor.at();
        while !cursor.is_done() && property_at(&cursor).is_none() {
            cursor.skip_one();
        }
        let data_type = Phrase::new(text, cursor.between(from));
        let mut column =
            Self { name, data_type: (!data_type.as_str().is_empty()).then_some(data_type), properties: Vec::new() };
        while let Some((words, property)) = property_at(&cursor) {
            let word = cursor.at();
            cursor.take(words);
            let from = if property == Property::Flag { word } else { cursor.at() };
            let inside = if matches!(property, Property::Codec | Property::Statistics | Property::Settings) {
                cursor.group().unwrap_or_default()
            } else {
                // `EPHEMERAL` and `PRIMARY KEY` may have nothing behind them.
                while !cursor.is_done() && property_at(&cursor).is_none() {
                    cursor.skip_one();
                }
                cursor.between(from)
            };
            column.properties.push((property, Phrase::new(text, inside)));
        }
        cursor.is_done().then_some(column)
    }

    /// What is said by a property.
    #[must_use]
    pub fn property(&self, property: Property) -> Option<&Phrase> {
        self.properties.iter().find(|(is, _)| *is == property).map(|(_, phrase)| phrase)
    }

    /// Its default, of whatever kind.
    #[must_use]
    pub fn default(&self) -> Option<(Property, &Phrase)> {
        Property::DEFAULTS.iter().find_map(|kind| Some((*kind, self.property(*kind)?)))
    }

    /// The type and these properties, as they stand behind the name.
    #[must_use]
    pub fn declaration(&self, wanted: impl Fn(Property) -> bool) -> String {
        let mut words: Vec<String> = self.data_type.iter().map(ToString::to_string).collect();
        let mut properties: Vec<_> = self.properties.iter().filter(|(property, _)| wanted(*property)).collect();
        properties.sort_by_key(|(property, _)| *property);
        for (property, phrase) in properties {
            words.push(match property {
                Property::Codec | Property::Statistics | Property::Settings => {
                    format!("{}({phrase})", property.words())
                }
                Property::Flag => phrase.to_string(),
                _ if phrase.as_str().is_empty() => property.words(),
                _ => format!("{} {phrase}", property.words()),
            });
        }
        words.join(" ")
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", quote_name(&self.name), self.declaration(|_| true))
    }
}

fn property_at(cursor: &Cursor<'_>) -> Option<(&'static [&'static str], Property)> {
    let (words, property) = *PROPERTIES.iter().find(|(words, _)| cursor.sees(words))?;
    let mut after = cursor.clone();
    after.take(words);
    let next = after.token().map(|token| token.kind);
    let begins = match property {
        Property::Comment => matches!(next, Some(TokenKind::Text | TokenKind::Heredoc)),
        Property::Codec | Property::Statistics | Property::Settings => after.sees_symbol("("),
        Property::Default
        | Property::Materialized
        | Property::Alias
        | Property::Ttl
        | Property::Expression
        | Property::Collate => {
            next.is_some_and(|next| next != TokenKind::Symbol) || ["(", "[", "-", "{"].contains(&after.peek(0))
        }
        Property::Ephemeral | Property::PrimaryKey | Property::Flag => {
            next.is_none_or(|next| next != TokenKind::Symbol) || after.peek(0) == "("
        }
    };
    begins.then_some((words, property))
}

/// An index, a projection or a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its name.
    pub name: String,
    /// What follows the name.
    pub body: Phrase,
}

/// What stands in a list of columns beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// `INDEX`.
    Index,
    /// `PROJECTION`.
    Projection,
    /// `CONSTRAINT`.
    Constraint,
}

impl PartKind {
    /// Its keyword.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Index => "INDEX",
            Self::Projection => "PROJECTION",
            Self::Constraint => "CONSTRAINT",
        }
    }
}

impl Part {
    /// Reads an element of the list; nothing where it is a column, which may be called `index`.
    pub(super) fn read(text: &str, element: &[Token]) -> Option<Self> {
        let mut cursor = Cursor::new(text, element);
        let kinds = [PartKind::Index, PartKind::Projection, PartKind::Constraint];
        let kind = *kinds.iter().find(|kind| cursor.take(&[kind.word()]))?;
        let name = cursor.name()?;
        let body = cursor.rest();
        let is_part = match kind {
            PartKind::Index => body.iter().any(|token| token.text(text).eq_ignore_ascii_case("TYPE")),
            PartKind::Projection => cursor.sees_symbol("(") || cursor.sees(&["INDEX"]),
            PartKind::Constraint => cursor.sees(&["CHECK"]) || cursor.sees(&["ASSUME"]),
        };
        is_part.then(|| Self { kind, name, body: Phrase::new(text, body) })
    }
}
