//! One spelling for each type (pure).
//!
//! What it does not know it leaves as it is written, so two unlike types never get one spelling.

use super::super::Phrase;
use super::super::cursor::{Cursor, by_commas};
use super::super::lexer::lex;
use super::super::quote::{plain_name, quote_text, unquote};
use super::super::token::{Token, TokenKind};
use super::aliases::resolve;
use super::expression::exact_words;

/// Types inside types at most; the server's own limit is lower than what this takes of the stack.
const DEEPEST: usize = 100;

/// Writes a type as the server keeps it.
#[must_use]
pub fn canonical_type(text: &str) -> String {
    let tokens: Vec<Token> = lex(text).into_iter().filter(Token::is_significant).collect();
    canonical(text, &tokens, 0)
}

fn canonical(text: &str, tokens: &[Token], depth: usize) -> String {
    let as_written = || exact_words(&Phrase::new(text, tokens)).join(" ");
    let mut cursor = Cursor::new(text, tokens);
    let mut words = Vec::new();
    let mut group = None;
    let mut null = None;
    while let Some(token) = cursor.token() {
        if cursor.take(&["NOT", "NULL"]) {
            null = Some(false);
        } else if !words.is_empty() && cursor.take(&["NULL"]) {
            null = Some(true);
        } else if group.is_none() && !words.is_empty() && cursor.sees_symbol("(") {
            group = cursor.group();
        } else if token.kind == TokenKind::Word && null.is_none() {
            words.push(token.text(text));
            cursor.skip();
        } else {
            return as_written();
        }
    }
    if words.is_empty() || depth > DEEPEST {
        return as_written();
    }
    let name = resolve(&words.join(" "));
    let arguments = group.map(|group| by_commas(text, group)).unwrap_or_default();
    let plain = family(text, name, &arguments, depth);
    if null == Some(true) && !plain.starts_with("Nullable(") { format!("Nullable({plain})") } else { plain }
}

fn family(text: &str, name: String, arguments: &[&[Token]], depth: usize) -> String {
    let literals: Vec<String> = arguments.iter().map(|part| literal(text, part)).collect();
    let first = literals.first().map(String::as_str);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let inner = |part: &&[Token]| canonical(text, part, depth + 1);
    let many = |name: &str, inside: Vec<String>| format!("{name}({})", inside.join(", "));
    match (name.as_str(), first) {
        // Lengths of strings and display widths of numbers mean nothing to the server.
        ("String" | "Float32" | "Float64" | "Bool", _) => name,
        (other, _) if other.starts_with("Int") || other.starts_with("UInt") => name,
        ("DateTime", Some("0")) if literals.len() == 1 => name,
        ("DateTime", Some(scale)) if is_number(scale) => many("DateTime64", literals),
        ("DateTime64", None) => "DateTime64(3)".to_owned(),
        ("Time64", None) => "Time64(3)".to_owned(),
        ("Decimal", None) => "Decimal(10, 0)".to_owned(),
        ("Decimal", Some(precision)) if literals.len() == 1 => format!("Decimal({precision}, 0)"),
        ("Decimal32", Some(scale)) => format!("Decimal(9, {scale})"),
        ("Decimal64", Some(scale)) => format!("Decimal(18, {scale})"),
        ("Decimal128", Some(scale)) => format!("Decimal(38, {scale})"),
        ("Decimal256", Some(scale)) => format!("Decimal(76, {scale})"),
        ("Enum" | "Enum8" | "Enum16", Some(_)) => enumeration(text, &name, arguments).unwrap_or(many(&name, literals)),
        // The server puts the version of the state's form first.
        ("AggregateFunction", Some(version)) if is_number(version) => {
            many(&name, arguments.iter().skip(1).map(inner).collect())
        }
        (
            "Array" | "Nullable" | "LowCardinality" | "Map" | "AggregateFunction" | "SimpleAggregateFunction",
            Some(_),
        ) => many(&name, arguments.iter().map(inner).collect()),
        ("Variant", Some(_)) => {
            let mut inside: Vec<String> = arguments.iter().map(inner).collect();
            inside.sort();
            many(&name, inside)
        }
        ("Tuple" | "Nested", Some(_)) => many(&name, arguments.iter().map(|part| element(text, part, depth)).collect()),
        (_, Some(_)) => many(&name, literals),
        (_, None) => name,
    }
}

/// What is no type: `.5` is `0.5`.
fn literal(text: &str, part: &[Token]) -> String {
    let words = exact_words(&Phrase::new(text, part)).join(" ").replace(" . ", ".");
    if words.starts_with('.') { format!("0{words}") } else { words }
}

/// `name Type` or a type alone.
fn element(text: &str, part: &[Token], depth: usize) -> String {
    let mut cursor = Cursor::new(text, part);
    let named = cursor
        .name()
        .filter(|_| cursor.token().is_some_and(|token| matches!(token.kind, TokenKind::Word)) && !is_type(text, part));
    match named {
        Some(name) => format!("{} {}", plain_name(&name), canonical(text, cursor.rest(), depth + 1)),
        None => canonical(text, part, depth + 1),
    }
}

/// `DOUBLE PRECISION` is no element called `DOUBLE`.
fn is_type(text: &str, part: &[Token]) -> bool {
    let words: Vec<&str> = part.iter().map(|token| token.text(text)).collect();
    let joined = words.join(" ");
    resolve(&joined) != joined
}

/// Values in order of their numbers; what has no number gets the next one.
fn enumeration(text: &str, name: &str, arguments: &[&[Token]]) -> Option<String> {
    let mut next = 1_i32;
    let mut values = Vec::new();
    for part in arguments {
        let (first, rest) = part.split_first()?;
        if first.kind != TokenKind::Text {
            return None;
        }
        let number: String = rest.iter().map(|token| token.text(text)).collect();
        if let Some(number) = number.strip_prefix('=') {
            next = number.parse().ok()?;
        }
        values.push((next, quote_text(&unquote(first.text(text)))));
        next = next.checked_add(1)?;
    }
    values.sort();
    let small = values.iter().all(|(number, _)| i8::try_from(*number).is_ok());
    let name = match name {
        "Enum" if small => "Enum8",
        "Enum" => "Enum16",
        named => named,
    };
    let values: Vec<String> = values.into_iter().map(|(number, value)| format!("{value} = {number}")).collect();
    Some(format!("{name}({})", values.join(", ")))
}
