//! Secrets that somebody wrote into a statement (pure).
//!
//! A statement stands in plans, in logs and in the server's own tables: its secrets belong into a named collection.

use super::code;
use crate::clickhouse::{StatementText, Token, TokenKind, unquote};
use crate::problem::Problem;
use crate::secret::look::{is_secret_name, is_secret_value};

/// Engines and table functions with the password as the argument of this number, from 0.
const POSITIONS: [(&str, usize); 4] = [("mysql", 4), ("postgresql", 4), ("mongodb", 4), ("redis", 2)];

/// Finds the secrets that are written into a statement, in order.
#[must_use]
pub fn check(statement: &StatementText) -> Vec<Problem> {
    let text = statement.span.source.text.as_str();
    let tokens = &statement.tokens;
    let select = tokens.iter().position(|token| is_word(token, text, "select")).unwrap_or(tokens.len());
    let literals = tokens.iter().enumerate().filter(|(_, token)| is_literal(token, text));
    literals.filter_map(|(at, token)| problem(statement, at, token, at > select)).collect()
}

fn problem(statement: &StatementText, at: usize, token: &Token, in_query: bool) -> Option<Problem> {
    let text = statement.span.source.text.as_str();
    let what = match named(text, &statement.tokens, at) {
        Some(name) if !in_query || names_only_secrets(&name) => format!("`{name}` is written out"),
        _ if is_secret_value(&unquote(token.text(text))) => {
            "a URL, header or connection string with a secret".to_owned()
        }
        _ => format!("the password of `{}` is written out", positional(text, &statement.tokens, at)?),
    };
    let message = format!("{what}: statements stand in plans and logs");
    let hint = "put it into `clickhouse_named_collections` with `from_secret`, and name the collection here";
    Some(Problem::new(code::LITERAL_SECRET, message).at(&statement.span_of(token)).hint(hint).hides_value())
}

/// A column may be called `key` or `token`, and a query may compare it; these names are never harmless.
fn names_only_secrets(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "access_key", "sasl", "credential", "private_key", "api_key"]
        .iter()
        .any(|part| name.contains(part))
}

/// The secret's name before a literal: `name = '..'`, `name '..'`, `IDENTIFIED [WITH ..] BY '..'`.
fn named(text: &str, tokens: &[Token], at: usize) -> Option<String> {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let last = before(1)?;
    if is_word(last, text, "by") {
        let identified = (2..5).filter_map(before).any(|token| is_word(token, text, "identified"));
        return identified.then(|| "IDENTIFIED BY".to_owned());
    }
    let name = if last.kind == TokenKind::Symbol && last.text(text) == "=" { before(2)? } else { last };
    let name = match name.kind {
        TokenKind::Word | TokenKind::Quoted => unquote(name.text(text)),
        _ => return None,
    };
    is_secret_name(&name).then_some(name)
}

/// The engine or function whose password the literal is.
fn positional<'a>(text: &'a str, tokens: &[Token], at: usize) -> Option<&'a str> {
    let (mut depth, mut commas, mut open) = (0_usize, 0_usize, at);
    loop {
        open = open.checked_sub(1)?;
        match tokens.get(open)?.text(text) {
            ")" | "]" => depth += 1,
            "(" | "[" if depth > 0 => depth -= 1,
            "(" => break,
            "," if depth == 0 => commas += 1,
            _ => {}
        }
    }
    let name = tokens.get(open.checked_sub(1)?)?.text(text);
    POSITIONS.iter().any(|(engine, number)| name.eq_ignore_ascii_case(engine) && *number == commas).then_some(name)
}

fn is_word(token: &Token, text: &str, word: &str) -> bool {
    token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
}

/// A text that is not empty.
fn is_literal(token: &Token, text: &str) -> bool {
    match token.kind {
        TokenKind::Text => token.text(text) != "''",
        TokenKind::Heredoc => true,
        _ => false,
    }
}
