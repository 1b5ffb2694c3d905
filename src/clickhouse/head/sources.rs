//! The tables that a query reads from (pure).
//!
//! Best effort: names after FROM and JOIN and in FROM's comma list, without table functions, subqueries and the names
//! that a WITH gives. A name that it cannot be sure of is left out.

use super::super::cursor::{Cursor, closing};
use super::super::token::{Token, TokenKind};
use super::TableName;

/// Functions that have a FROM of their own inside their brackets.
const FROM_INSIDE: [&str; 9] =
    ["extract", "trim", "ltrim", "rtrim", "substring", "substr", "mid", "overlay", "position"];

/// Words that end the list after FROM.
const ENDS_FROM: [&str; 21] = [
    "WHERE",
    "PREWHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
    "SETTINGS",
    "FORMAT",
    "INTO",
    "SELECT",
    "ON",
    "USING",
    "JOIN",
    "ARRAY",
    "OFFSET",
    "FETCH",
];

/// Reads the tables of a query, in order, repeats included.
pub(super) fn of_query(text: &str, tokens: &[Token]) -> Vec<TableName> {
    let named = with_names(text, tokens);
    let mut found = Vec::new();
    // For every open bracket, and the query itself: whether it is a FROM's function, and whether a FROM's list goes on.
    let mut levels = vec![Level::default()];
    let mut cursor = Cursor::new(text, tokens);
    while let Some(token) = cursor.token() {
        let at = cursor.at();
        let word = if token.kind == TokenKind::Word { token.text(text).to_ascii_uppercase() } else { String::new() };
        let before =
            |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at)).map_or("", |token| token.text(text));
        cursor.skip();
        let Some(level) = levels.last_mut() else { break };
        let wants_table = match token.text(text) {
            "(" => {
                let no_query = FROM_INSIDE.iter().any(|name| before(1).eq_ignore_ascii_case(name));
                levels.push(Level { no_query, in_from: false });
                false
            }
            ")" => {
                if levels.len() > 1 {
                    levels.pop();
                }
                false
            }
            "," => level.in_from,
            _ if word == "FROM" => {
                let distinct = before(1).eq_ignore_ascii_case("DISTINCT")
                    && (before(2).eq_ignore_ascii_case("IS") || before(2).eq_ignore_ascii_case("NOT"));
                level.in_from = !distinct && !level.no_query;
                level.in_from
            }
            _ if word == "JOIN" => {
                level.in_from = false;
                !before(1).eq_ignore_ascii_case("ARRAY")
            }
            _ => {
                level.in_from &= !ENDS_FROM.contains(&word.as_str());
                false
            }
        };
        if wants_table && let Some(table) = table(&mut cursor, &named) {
            found.push(table);
        }
    }
    found
}

#[derive(Default)]
struct Level {
    no_query: bool,
    in_from: bool,
}

/// Takes a table's name, unless it is a function's or one that a WITH gave.
fn table(cursor: &mut Cursor<'_>, named: &[WithName]) -> Option<TableName> {
    let at = cursor.at();
    if cursor.sees(&["SELECT"]) || cursor.sees(&["WITH"]) {
        return None;
    }
    let (database, name) = cursor.qualified()?;
    if cursor.sees_symbol("(") {
        return None;
    }
    let given = database.is_none() && named.iter().any(|with| with.name == name && (with.from..with.to).contains(&at));
    (!given).then_some(TableName { database, name })
}

/// A name that WITH gives to a query, and the tokens between which it means that query.
struct WithName {
    name: String,
    from: usize,
    to: usize,
}

/// Finds every `name AS (SELECT ...)`.
fn with_names(text: &str, tokens: &[Token]) -> Vec<WithName> {
    let recursive = tokens.iter().any(|token| token.text(text).eq_ignore_ascii_case("RECURSIVE"));
    let mut open = Vec::new();
    let mut names = Vec::new();
    let mut cursor = Cursor::new(text, tokens);
    while let Some(token) = cursor.token() {
        let at = cursor.at();
        match token.text(text) {
            "(" => open.push(at),
            ")" => {
                open.pop();
            }
            _ => {}
        }
        let mut ahead = cursor.clone();
        if let Some(name) = ahead.name() {
            ahead.group_of("(");
            if ahead.take(&["AS"]) && ahead.sees_symbol("(") {
                let inside = ahead.at();
                ahead.skip();
                if ["SELECT", "WITH", "FROM"].iter().any(|word| ahead.sees(&[word])) || ahead.sees_symbol("(") {
                    let from = if recursive { inside } else { closing(text, tokens, inside) };
                    let to = open.last().map_or(tokens.len(), |open| closing(text, tokens, *open));
                    names.push(WithName { name, from, to });
                }
            }
        }
        cursor.skip();
    }
    names
}

/// Reads the local table of `SOURCE(CLICKHOUSE(TABLE 't' DB 'd'))`.
pub(super) fn of_dictionary(text: &str, group: &[Token]) -> Option<TableName> {
    let mut cursor = Cursor::new(text, group);
    if !cursor.take(&["CLICKHOUSE"]) {
        return None;
    }
    let inside = cursor.group_of("(")?;
    let value = |key: &str| {
        let at = inside.iter().position(|token| token.text(text).eq_ignore_ascii_case(key))?;
        inside.get(at + 1).map(|token| super::super::quote::unquote(token.text(text)))
    };
    let is_local = value("HOST").is_none_or(|host| matches!(host.as_str(), "" | "localhost" | "127.0.0.1"));
    is_local
        .then(|| value("TABLE").map(|name| TableName { database: value("DB").filter(|db| !db.is_empty()), name }))?
}
