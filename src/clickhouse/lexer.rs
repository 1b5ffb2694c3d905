//! Splits text into ClickHouse's tokens (pure).
//!
//! Total: it takes every text, and the tokens' texts in order are the text again. It follows the server's own rules
//! ([Lexer.cpp](https://github.com/ClickHouse/ClickHouse/blob/master/src/Parsers/Lexer.cpp)), so that no quote,
//! comment or heredoc can hide or invent a `;`.

use super::token::{Token, TokenKind, Unclosed};

/// Splits a text into tokens.
#[must_use]
pub fn lex(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut before) = (0, Before::Other);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest, before);
        let token = Token { kind, range: at..at + length };
        if token.is_significant() {
            before = Before::of(kind, rest);
        }
        at = token.range.end;
        tokens.push(token);
    }
    tokens
}

/// What of the token before decides how a dot and digits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A dot.
    Dot,
    /// Something with a part that a dot can name.
    Whole,
    Other,
}

impl Before {
    fn of(kind: TokenKind, rest: &str) -> Self {
        match kind {
            TokenKind::Symbol if rest.starts_with('.') => Self::Dot,
            TokenKind::Symbol if rest.starts_with([')', ']']) => Self::Whole,
            TokenKind::Word | TokenKind::Quoted | TokenKind::Number => Self::Whole,
            _ => Self::Other,
        }
    }
}

/// The kind and the length of the first token; the text is not empty.
fn first(rest: &str, before: Before) -> (TokenKind, usize) {
    let mut chars = rest.chars();
    let (Some(head), next) = (chars.next(), chars.next()) else { return (TokenKind::Symbol, rest.len()) };
    match (head, next) {
        _ if is_space(head) => (TokenKind::Space, run(rest, is_space)),
        ('-', Some('-')) | ('#', Some(' ' | '!')) => (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len())),
        ('/', Some('*')) => comment(rest),
        ('\'', _) => quoted(rest, '\'', TokenKind::Text, Unclosed::Text),
        ('`' | '"', _) => quoted(rest, head, TokenKind::Quoted, Unclosed::Quoted),
        // Typographic quotes know no escapes.
        ('\u{2018}', _) => upto(rest, head.len_utf8(), '\u{2019}', TokenKind::Text, Unclosed::Text),
        ('\u{201C}', _) => upto(rest, head.len_utf8(), '\u{201D}', TokenKind::Quoted, Unclosed::Quoted),
        ('x' | 'X' | 'b' | 'B', Some('\'')) => upto(rest, 2, '\'', TokenKind::Text, Unclosed::Text),
        ('$', _) => heredoc(rest).unwrap_or_else(|| (TokenKind::Word, run(rest, is_word))),
        ('0'..='9', _) => number(rest, before == Before::Dot),
        ('.', Some('0'..='9')) if before != Before::Whole => {
            let (kind, length) = number(rest.get(1..).unwrap_or_default(), true);
            if kind == TokenKind::Number { (kind, 1 + length) } else { (TokenKind::Symbol, 1) }
        }
        _ if is_word(head) => (TokenKind::Word, run(rest, is_word)),
        _ => (TokenKind::Symbol, head.len_utf8()),
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{180E}' | '\u{2060}')
}

/// Characters of a plain identifier; it may begin with a digit.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn run(rest: &str, belongs: fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// A backslash escapes any character, and a doubled quote is a quote.
fn quoted(rest: &str, quote: char, kind: TokenKind, unclosed: Unclosed) -> (TokenKind, usize) {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return (kind, at + quote.len_utf8());
        }
    }
    (TokenKind::Unclosed(unclosed), rest.len())
}

fn upto(rest: &str, from: usize, close: char, kind: TokenKind, unclosed: Unclosed) -> (TokenKind, usize) {
    match rest.get(from..).and_then(|inside| inside.find(close)) {
        Some(at) => (kind, from + at + close.len_utf8()),
        None => (TokenKind::Unclosed(unclosed), rest.len()),
    }
}

/// `/* .. */`; such comments nest.
fn comment(rest: &str) -> (TokenKind, usize) {
    let (bytes, mut depth, mut at) = (rest.as_bytes(), 0_usize, 0);
    while at < bytes.len() {
        let step = match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                2
            }
            Some(b"*/") => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return (TokenKind::Comment, at);
        }
    }
    (TokenKind::Unclosed(Unclosed::Comment), rest.len())
}

/// `$tag$ .. $tag$`; without its end it is no heredoc, and the dollar begins a word.
fn heredoc(rest: &str) -> Option<(TokenKind, usize)> {
    let inside = rest.get(1..)?;
    let tag_end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    if !inside.get(tag_end..)?.starts_with('$') {
        return None;
    }
    let tag = rest.get(..tag_end + 2)?;
    let body = rest.get(tag.len()..)?;
    body.find(tag).map(|at| (TokenKind::Heredoc, tag.len() + at + tag.len()))
}

/// A number, or an identifier that begins with a digit.
fn number(rest: &str, after_dot: bool) -> (TokenKind, usize) {
    let word = run(rest, is_word);
    let digits = rest.get(..word).unwrap_or_default();
    if !is_numeric(digits) {
        return (TokenKind::Word, word);
    }
    let hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
    let mut end = word;
    // After a dot it is an element of a tuple: `t.1.2` is (t.1).2.
    if !after_dot && rest.get(end..).is_some_and(|tail| tail.starts_with('.')) {
        end += 1 + run(rest.get(end + 1..).unwrap_or_default(), is_word);
    }
    let exponent = if hexadecimal { ['p', 'P'] } else { ['e', 'E'] };
    let signed = rest.get(end..).is_some_and(|tail| {
        tail.starts_with(['+', '-']) && tail.get(1..2).is_some_and(|c| c.starts_with(|c: char| c.is_ascii_digit()))
    });
    if signed && rest.get(..end).is_some_and(|so_far| so_far.ends_with(exponent)) {
        end += 1 + run(rest.get(end + 1..).unwrap_or_default(), is_word);
    }
    (TokenKind::Number, end)
}

fn is_numeric(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let all = |digits: &str, allowed: fn(char) -> bool| digits.chars().all(|c| c == '_' || allowed(c));
    if let Some(digits) = lower.strip_prefix("0x") {
        return all(digits, |c| c.is_ascii_hexdigit() || c == 'p');
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return all(digits, |c| matches!(c, '0' | '1'));
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, ""));
    all(mantissa, |c| c.is_ascii_digit()) && all(exponent, |c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::clickhouse::{split, unclosed};
    use crate::problem::Source;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source { name: "x.sql".to_owned(), text: text.to_owned() })
    }

    fn statements(text: &str) -> Vec<String> {
        split(&source(text)).iter().map(|statement| statement.text().to_owned()).collect()
    }

    /// Every line was given to a ClickHouse 25.8, which splits it the same way.
    #[test]
    fn nothing_hides_or_invents_a_semicolon() {
        for (text, expected) in [
            ("select 1;;select 2;", vec!["select 1", "select 2"]),
            ("select $tag$ ; $tag$", vec!["select $tag$ ; $tag$"]),
            ("select $1$ ; $1$", vec!["select $1$ ; $1$"]),
            ("select $$ ; $$ ; b", vec!["select $$ ; $$", "b"]),
            ("select $a b$ ; $a b$", vec!["select $a b$", "$a b$"]),
            ("select a$$b ; $$", vec!["select a$$b", "$$"]),
            ("select x$a$ ; $a$", vec!["select x$a$", "$a$"]),
            ("select 1 #! ; x", vec!["select 1"]),
            ("select 1 # x ; select 2", vec!["select 1"]),
            ("select 1 #x ; select 2", vec!["select 1 #x", "select 2"]),
            ("select 1--1 ; 3\n;select 2", vec!["select 1", "select 2"]),
            ("select 1/* a /* ; */ b ; */;select 2", vec!["select 1", "select 2"]),
            (r"select 'a\';b', 'c'';d'", vec![r"select 'a\';b', 'c'';d'"]),
            ("select `a``;b`, \"x\"\";y\"", vec!["select `a``;b`, \"x\"\";y\""]),
            ("select “a”;select ‘x;y’", vec!["select “a”", "select ‘x;y’"]),
            ("select 0x1e+5; 1e+5; 1e-x", vec!["select 0x1e+5", "1e+5", "1e-x"]),
            ("select .5;select t.1.2, (1).5; .5e+3; .5x", vec!["select .5", "select t.1.2, (1).5", ".5e+3", ".5x"]),
            (" ; -- nothing\n/* at all */", vec![]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_never_closed_is_a_problem_at_its_start() {
        let found = unclosed(&source("select 1;\n  'a ; b")).map(|problem| problem.to_string());
        assert_eq!(found.as_deref(), Some("x.sql:2:3: this string is never closed"));
        let found = unclosed(&source("select 1 /* /* */ ; select 2")).map(|problem| problem.to_string());
        assert_eq!(found.as_deref(), Some("x.sql:1:10: this comment is never closed"));
        assert_eq!(unclosed(&source("select 'a' -- 'b")), None);
    }

    fn sql() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "'",
            "\"",
            "`",
            "\\",
            "/*",
            "*/",
            "--",
            "#!",
            "# ",
            "\n",
            ";",
            "$",
            "$$",
            "$a$",
            "(",
            ")",
            ".",
            "1e",
            "0x",
            "x'",
            "a",
            " ",
            "“",
            "”",
            "‘",
            "é",
            "\u{a0}",
            "CREATE TABLE ",
            "AS SELECT ",
            " FROM ",
            "ENGINE=",
            "SETTINGS ",
            ",",
        ]);
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_tokens_are_the_text_again(text in prop_oneof![sql(), any::<String>()]) {
            let tokens = lex(&text);
            let again: String = tokens.iter().map(|token| token.text(&text)).collect();
            prop_assert_eq!(&again, &text);
            prop_assert!(tokens.iter().all(|token| !token.range.is_empty()));
        }

        #[test]
        fn every_text_has_heads(text in prop_oneof![sql(), any::<String>()]) {
            for statement in split(&source(&text)) {
                prop_assert!(!statement.tokens.is_empty());
                let _ = crate::clickhouse::read_head(&statement);
            }
        }
    }
}
