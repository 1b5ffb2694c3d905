//! The words of an expression or a query, evened out (pure).
//!
//! The server keeps a syntax tree and writes it anew: with brackets of its own, other operators, functions in place of
//! special syntax. The loose form drops all round brackets and knows the commonest of these; where a text has more of
//! them it gives up, because a difference that is none would be told on every host.

use super::super::Phrase;
use super::super::quote::{quote_text, unquote};
use super::super::token::TokenKind;
use super::aliases;

/// Keywords, whose case means nothing. A name of the same letters in another case is not told apart from them.
const KEYWORDS: [&str; 62] = [
    "ALL",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "ASOF",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CHECK",
    "COLUMNS",
    "CROSS",
    "DELETE",
    "DESC",
    "DISK",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FINAL",
    "FROM",
    "FULL",
    "GLOBAL",
    "GRANULARITY",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAX",
    "MIN",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PREWHERE",
    "RIGHT",
    "SAMPLE",
    "SELECT",
    "SET",
    "SETTINGS",
    "THEN",
    "TO",
    "TYPE",
    "UNION",
    "USING",
    "WHEN",
];

/// Words of a syntax that the server writes otherwise, in small letters.
const REWRITTEN: [&str; 39] = [
    "all",
    "between",
    "case",
    "cast",
    "cube",
    "current_date",
    "current_timestamp",
    "currentdatabase",
    "date_add",
    "date_diff",
    "date_sub",
    "date_trunc",
    "dateadd",
    "datesub",
    "datetrunc",
    "div",
    "except",
    "exists",
    "explain",
    "extract",
    "fetch",
    "grouping",
    "intersect",
    "mod",
    "offset",
    "overlay",
    "regexp",
    "rlike",
    "rollup",
    "rows",
    "substr",
    "substring",
    "timestamp_add",
    "timestampadd",
    "trim",
    "trimboth",
    "tuple",
    "union",
    "with",
];

/// The same, where they are called or stand before a literal; else they may be names.
const REWRITTEN_CALLS: [&str; 32] = [
    "array",
    "arrayelement",
    "date",
    "divide",
    "equals",
    "globalin",
    "globalnotin",
    "greater",
    "greaterorequals",
    "isnotnull",
    "isnull",
    "lambda",
    "less",
    "lessorequals",
    "match",
    "minus",
    "modulo",
    "multiif",
    "multiply",
    "negate",
    "notequals",
    "notilike",
    "notin",
    "notlike",
    "plus",
    "position",
    "range",
    "replace",
    "tcpport",
    "timestamp",
    "tupleelement",
    "window",
];

const UNITS: [&str; 10] =
    ["nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter"];

/// Words that the server adds or leaves out as it likes.
const OPTIONAL: [&str; 5] = ["as", "asc", "inner", "outer", "delete"];

/// The words of a phrase as they are, quotes evened out.
#[must_use]
pub fn exact_words(phrase: &Phrase) -> Vec<String> {
    phrase.tokens().map(|(kind, text)| word(kind, text)).collect()
}

fn word(kind: TokenKind, text: &str) -> String {
    match kind {
        TokenKind::Text | TokenKind::Heredoc if !text.starts_with(['x', 'X', 'b', 'B']) => quote_text(&unquote(text)),
        TokenKind::Quoted => unquote(text),
        TokenKind::Word => {
            let capitals = text.to_ascii_uppercase();
            if KEYWORDS.contains(&capitals.as_str()) { capitals } else { text.to_owned() }
        }
        _ => text.to_owned(),
    }
}

/// The words of a phrase as they can be compared with those that the server keeps; nothing where they cannot.
#[must_use]
pub fn loose_words(phrase: &Phrase) -> Option<Vec<String>> {
    let tokens: Vec<(TokenKind, String)> = phrase.tokens().map(|(kind, text)| (kind, text.to_owned())).collect();
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some((kind, text)) = tokens.get(at) {
        let next = tokens.get(at + 1).map_or("", |(_, text)| text.as_str());
        at += 1;
        let plain = match kind {
            TokenKind::Text | TokenKind::Heredoc => word(*kind, text),
            TokenKind::Number => number(text),
            TokenKind::Quoted => unquote(text).to_ascii_lowercase(),
            TokenKind::Word => {
                let small = text.to_ascii_lowercase();
                let is_called = next == "(" || next.starts_with('\'');
                // The server names the database of what these look into, within the string.
                if small.starts_with("dictget") || small.starts_with("dicthas") || small.starts_with("joinget") {
                    return None;
                }
                if REWRITTEN.contains(&small.as_str()) || is_called && REWRITTEN_CALLS.contains(&small.as_str()) {
                    return None;
                }
                if small == "interval" {
                    let (amount, unit) = (tokens.get(at)?, tokens.get(at + 1)?);
                    let unit = unit.1.to_ascii_lowercase();
                    let unit = unit.strip_suffix('s').unwrap_or(&unit);
                    if amount.0 != TokenKind::Number || !UNITS.contains(&unit) && unit != "year" {
                        return None;
                    }
                    words.extend([format!("tointerval{unit}"), number(&amount.1)]);
                    at += 2;
                    continue;
                }
                if next == "(" { aliases::function(&small).to_owned() } else { small }
            }
            TokenKind::Symbol => match (text.as_str(), next) {
                // A tuple may end with a comma.
                ("(" | ")", _) | (",", ")") => continue,
                ("?", _) | (":", ":") | ("|", "|") => return None,
                ("=", "=") => {
                    at += 1;
                    "=".to_owned()
                }
                ("<", ">") => {
                    at += 1;
                    words.push("!".to_owned());
                    "=".to_owned()
                }
                _ => text.clone(),
            },
            _ => return None,
        };
        // The server names the database of every table.
        if plain == "default" && next == "." {
            at += 1;
        } else if !OPTIONAL.contains(&plain.as_str()) {
            words.push(plain);
        }
    }
    // `[HIDDEN]` stands for a secret.
    (!words.iter().any(|word| word.contains("[HIDDEN]"))).then_some(words)
}

/// `0.10`, `1e1` and `0x0a` as the server writes them.
fn number(text: &str) -> String {
    let plain = text.replace('_', "");
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = plain.trim_start_matches('0');
        return if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    }
    if let Some(value) = plain.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        return value.to_string();
    }
    plain.parse::<f64>().map_or(plain, |value| value.to_string())
}
