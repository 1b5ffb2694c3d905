//! The tokens of ClickHouse's SQL (pure).
//!
//! Every byte of a text belongs to exactly one token, in order.

use std::ops::Range;

/// One token: its kind and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Byte offsets into the text.
    pub range: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Blanks and line ends.
    Space,
    /// `-- ..`, `# ..`, `#! ..` or `/* .. */`.
    Comment,
    /// A keyword or a plain identifier.
    Word,
    /// An identifier in backticks or double quotes.
    Quoted,
    /// A number.
    Number,
    /// A string in single quotes, also `x'..'` and `b'..'`.
    Text,
    /// `$tag$ .. $tag$`.
    Heredoc,
    /// One character of punctuation, or one that ClickHouse does not know.
    Symbol,
    /// Something that begins and never ends; it reaches to the end of the text.
    Unclosed(Unclosed),
}

/// What was never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclosed {
    /// A string.
    Text,
    /// An identifier in quotes.
    Quoted,
    /// A `/*` comment.
    Comment,
}

impl Token {
    /// Whether it means something: neither blank nor comment.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Space | TokenKind::Comment | TokenKind::Unclosed(Unclosed::Comment))
    }

    /// Its text in the text that it was read from; nothing in any other text.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}
