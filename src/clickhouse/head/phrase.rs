//! A run of tokens that nobody looks into (pure).
//!
//! Its text is the operator's own without comments, on one line: it can stand in any other statement.

use std::fmt;

use super::super::cursor::{Cursor, by_commas};
use super::super::lexer::lex;
use super::super::quote::unquote;
use super::super::token::{Token, TokenKind};

/// A run of tokens as it is written, with one blank where there was any space.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phrase(String);

impl Phrase {
    /// Takes significant tokens of a text.
    #[must_use]
    pub fn new(text: &str, tokens: &[Token]) -> Self {
        let mut phrase = String::new();
        let mut end = None;
        for token in tokens {
            if end.is_some_and(|end| end != token.range.start) {
                phrase.push(' ');
            }
            phrase.push_str(token.text(text));
            end = Some(token.range.end);
        }
        Self(phrase)
    }

    /// Reads a text of its own.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let tokens: Vec<Token> = lex(text).into_iter().filter(Token::is_significant).collect();
        Self::new(text, &tokens)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its tokens, each with its text.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenKind, &str)> {
        lex(&self.0)
            .into_iter()
            .filter(Token::is_significant)
            .map(|token| (token.kind, self.0.get(token.range).unwrap_or_default()))
    }

    /// The value of one string or name; nothing where there is more.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        let mut tokens = self.tokens();
        let (kind, text) = tokens.next()?;
        let is_value = kind != TokenKind::Symbol && tokens.next().is_none();
        is_value.then(|| unquote(text))
    }

    /// Its parts between the commas that stand in no bracket.
    #[must_use]
    pub fn list(&self) -> Vec<Self> {
        let tokens = self.significant();
        by_commas(&self.0, &tokens).into_iter().map(|part| Self::new(&self.0, part)).collect()
    }

    /// What stands in the bracket behind its first word.
    #[must_use]
    pub fn arguments(&self) -> Option<Self> {
        let tokens = self.significant();
        let mut cursor = Cursor::new(&self.0, &tokens);
        cursor.skip();
        cursor.group_of("(").map(|group| Self::new(&self.0, group))
    }

    /// The elements of a `Nested(...)`, each with its type; nothing for any other text.
    #[must_use]
    pub fn nested(&self) -> Vec<(String, Self)> {
        let tokens = self.significant();
        let mut cursor = Cursor::new(&self.0, &tokens);
        if !cursor.take(&["Nested"]) {
            return Vec::new();
        }
        let element = |part: &[Token]| {
            let mut cursor = Cursor::new(&self.0, part);
            Some((cursor.name()?, Self::new(&self.0, cursor.rest())))
        };
        let group = cursor.group_of("(").unwrap_or_default();
        by_commas(&self.0, group).into_iter().filter_map(element).collect()
    }

    fn significant(&self) -> Vec<Token> {
        lex(&self.0).into_iter().filter(Token::is_significant).collect()
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
