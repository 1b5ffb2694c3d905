//! Walks over the significant tokens of one statement (pure).
//!
//! Every step is optional: what is not there is not taken, and the cursor stays where it is.

use super::quote::unquote;
use super::token::{Token, TokenKind};

/// A place in a statement's tokens.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins at the first token; the tokens are significant ones only.
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn token(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// The text of the token that is `ahead` of the next one; empty past the end.
    pub(super) fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at.saturating_add(ahead)).map(|token| token.text(self.text)).unwrap_or_default()
    }

    /// Whether the next tokens are these keywords.
    pub(super) fn sees(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| {
            self.tokens
                .get(self.at.saturating_add(ahead))
                .is_some_and(|token| token.kind == TokenKind::Word && token.text(self.text).eq_ignore_ascii_case(word))
        })
    }

    /// Takes these keywords, all or none.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let seen = self.sees(words);
        if seen {
            self.at += words.len();
        }
        seen
    }

    pub(super) fn sees_symbol(&self, symbol: &str) -> bool {
        self.token().is_some_and(|token| token.kind == TokenKind::Symbol) && self.peek(0) == symbol
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let seen = self.sees_symbol(symbol);
        if seen {
            self.at += 1;
        }
        seen
    }

    pub(super) fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Takes an identifier.
    pub(super) fn name(&mut self) -> Option<String> {
        let token = self.token()?;
        if !matches!(token.kind, TokenKind::Word | TokenKind::Quoted) {
            return None;
        }
        self.at += 1;
        Some(unquote(token.text(self.text)))
    }

    /// Takes `name` or `database.name`.
    pub(super) fn qualified(&mut self) -> Option<(Option<String>, String)> {
        let first = self.name()?;
        let mark = self.at;
        if self.take_symbol(".") {
            if let Some(second) = self.name() {
                return Some((Some(first), second));
            }
            self.at = mark;
        }
        Some((None, first))
    }

    /// The tokens from here to the end.
    pub(super) fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// The tokens from `start` to here.
    pub(super) fn between(&self, start: usize) -> &'a [Token] {
        self.tokens.get(start..self.at.min(self.tokens.len())).unwrap_or_default()
    }

    /// Passes a bracket with all that is in it, or one token.
    pub(super) fn skip_one(&mut self) {
        if self.group().is_none() {
            self.skip();
        }
    }

    /// As [`Cursor::group`], for one kind of bracket.
    pub(super) fn group_of(&mut self, open: &str) -> Option<&'a [Token]> {
        if self.sees_symbol(open) { self.group() } else { None }
    }

    /// The tokens inside the bracket that opens here, and past its end; to the statement's end where it never closes.
    pub(super) fn group(&mut self) -> Option<&'a [Token]> {
        if !["(", "[", "{"].iter().any(|open| self.sees_symbol(open)) {
            return None;
        }
        let start = self.at + 1;
        let end = closing(self.text, self.tokens, self.at);
        self.at = (end + 1).min(self.tokens.len());
        self.tokens.get(start..end)
    }
}

/// The index of the bracket that closes the one at `open`; the number of tokens where none does.
pub(super) fn closing(text: &str, tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth = match bracket(text, token) {
            Some(Bracket::Open) => depth + 1,
            Some(Bracket::Close) => depth.saturating_sub(1),
            None => depth,
        };
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Splits tokens at the commas that are in no bracket; nothing in, nothing out.
pub(super) fn by_commas<'a>(text: &str, tokens: &'a [Token]) -> Vec<&'a [Token]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match bracket(text, token) {
            Some(Bracket::Open) => depth += 1,
            Some(Bracket::Close) => depth = depth.saturating_sub(1),
            None if depth == 0 && token.kind == TokenKind::Symbol && token.text(text) == "," => {
                parts.extend(tokens.get(start..at));
                start = at + 1;
            }
            None => {}
        }
    }
    parts.extend(tokens.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

enum Bracket {
    Open,
    Close,
}

fn bracket(text: &str, token: &Token) -> Option<Bracket> {
    if token.kind != TokenKind::Symbol {
        return None;
    }
    match token.text(text) {
        "(" | "[" | "{" => Some(Bracket::Open),
        ")" | "]" | "}" => Some(Bracket::Close),
        _ => None,
    }
}
