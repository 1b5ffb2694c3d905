//! Quotes SQL strings and identifiers, and reads them back (pure).
//!
//! The only place that turns a value into SQL: what is quoted here is one token, whatever it holds.

use super::lexer::lex;
use super::token::TokenKind;

/// Writes a string literal.
#[must_use]
pub fn quote_text(value: &str) -> String {
    escaped(value, '\'')
}

/// Writes an identifier, in backticks always.
#[must_use]
pub fn quote_name(name: &str) -> String {
    escaped(name, '`')
}

/// Writes a name for people: quoted only where it must be.
#[must_use]
pub fn plain_name(name: &str) -> String {
    match lex(name).as_slice() {
        [token] if token.kind == TokenKind::Word && !name.contains('$') => name.to_owned(),
        _ => quote_name(name),
    }
}

fn escaped(value: &str, quote: char) -> String {
    let mut sql = String::with_capacity(value.len() + 2);
    sql.push(quote);
    for c in value.chars() {
        match c {
            '\\' => sql.push_str("\\\\"),
            '\n' => sql.push_str("\\n"),
            '\t' => sql.push_str("\\t"),
            '\r' => sql.push_str("\\r"),
            '\0' => sql.push_str("\\0"),
            c if c == quote => sql.extend(['\\', c]),
            c => sql.push(c),
        }
    }
    sql.push(quote);
    sql
}

/// Reads one token's value: a plain word as it is; quotes, escapes and heredoc tags taken off.
#[must_use]
pub fn unquote(token: &str) -> String {
    if let Some(heredoc) = token.strip_prefix('$')
        && let Some(tag) = heredoc.find('$').and_then(|end| token.get(..end + 2))
        && let Some(body) = token.strip_prefix(tag).and_then(|rest| rest.strip_suffix(tag))
    {
        return body.to_owned();
    }
    let Some(quote) = token.chars().next() else { return String::new() };
    let close = match quote {
        '\'' | '`' | '"' => quote,
        '\u{2018}' => '\u{2019}',
        '\u{201C}' => '\u{201D}',
        _ => return token.to_owned(),
    };
    let inside = token.strip_prefix(quote).and_then(|rest| rest.strip_suffix(close)).unwrap_or_default();
    if quote == close { unescaped(inside, quote) } else { inside.to_owned() }
}

fn unescaped(inside: &str, quote: char) -> String {
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c == quote {
            chars.next();
            value.push(c);
        } else if c == '\\' {
            match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('0') => value.push('\0'),
                Some('b') => value.push('\u{8}'),
                Some('f') => value.push('\u{c}'),
                Some('a') => value.push('\u{7}'),
                Some('v') => value.push('\u{b}'),
                Some('e') => value.push('\u{1b}'),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    match u8::from_str_radix(&digits, 16) {
                        Ok(byte) => value.push(char::from(byte)),
                        Err(_) => value.extend(['\\', 'x']),
                    }
                }
                Some(c @ ('\\' | '\'' | '"' | '`' | '/' | '=')) => value.push(c),
                // An unknown escape stays with its backslash.
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            }
        } else {
            value.push(c);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_only_where_it_must() {
        assert_eq!(plain_name("groups"), "groups");
        assert_eq!(plain_name("we ird"), "`we ird`");
        assert_eq!(plain_name(""), "``");
        assert_eq!(quote_text("a'b\\"), r"'a\'b\\'");
        assert_eq!(unquote("'it''s'"), "it's");
        assert_eq!(unquote("$x$ a;b $x$"), " a;b ");
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_one_token_and_reads_back(value in any::<String>()) {
            for (sql, kind) in [(quote_text(&value), TokenKind::Text), (quote_name(&value), TokenKind::Quoted)] {
                let tokens = lex(&sql);
                prop_assert_eq!(tokens.len(), 1);
                prop_assert_eq!(tokens[0].kind, kind);
                prop_assert_eq!(unquote(&sql), value.clone());
            }
        }
    }
}
