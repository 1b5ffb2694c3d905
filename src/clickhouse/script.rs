//! A text of several statements, split at `;` (pure).
//!
//! A statement reaches from its first to its last token that means something; comments inside it stay in it.

use std::sync::Arc;

use super::lexer::lex;
use super::token::{Token, TokenKind, Unclosed};
use crate::problem::{Problem, Source, Span};

/// A string, a quoted identifier or a comment is never closed.
pub const UNCLOSED: &str = "HW0401";

/// One statement of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementText {
    /// From its first to its last significant token, without the `;`.
    pub span: Span,
    /// Its significant tokens, in order; never empty.
    pub tokens: Vec<Token>,
}

impl StatementText {
    /// The statement as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.span.source.text.get(self.span.range.clone()).unwrap_or_default()
    }

    /// The place of one of its tokens.
    #[must_use]
    pub fn span_of(&self, token: &Token) -> Span {
        Span::new(self.span.source.clone(), token.range.clone())
    }
}

/// Splits a text into its statements; empty ones are left out.
#[must_use]
pub fn split(source: &Arc<Source>) -> Vec<StatementText> {
    let tokens: Vec<Token> = lex(&source.text).into_iter().filter(Token::is_significant).collect();
    tokens
        .split(|token| token.kind == TokenKind::Symbol && token.text(&source.text) == ";")
        .filter_map(|tokens| {
            let range = tokens.first()?.range.start..tokens.last()?.range.end;
            Some(StatementText { span: Span::new(source.clone(), range), tokens: tokens.to_vec() })
        })
        .collect()
}

/// Finds the string or comment that is never closed; there is at most one.
#[must_use]
pub fn unclosed(source: &Arc<Source>) -> Option<Problem> {
    let tokens = lex(&source.text);
    let last = tokens.last()?;
    let TokenKind::Unclosed(what) = last.kind else { return None };
    let what = match what {
        Unclosed::Text => "string",
        Unclosed::Quoted => "quoted identifier",
        Unclosed::Comment => "comment",
    };
    let start = last.range.start;
    Some(
        Problem::new(UNCLOSED, format!("this {what} is never closed")).at(&Span::new(source.clone(), start..start + 1)),
    )
}
