//! The statement of a leg's object as that of another leg: names, collection and group, and nothing else (pure).
//!
//! Only tokens are replaced: comments, columns and settings stay as the operator wrote them. What cannot be told from the
//! tokens is refused.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::clickhouse::{Head, StatementText, Token, TokenKind, plain_name, quote_text, read_head, unquote};
use crate::schema::{DEFAULT_DATABASE, ObjectName};

/// What becomes what.
#[derive(Debug, Clone, Default)]
pub(super) struct Renames {
    /// Tables and views: their new names in the same database.
    pub names: BTreeMap<ObjectName, String>,
    /// The named collection of the Kafka table, from and to.
    pub collection: (String, String),
    /// Its consumer group.
    pub group: String,
}

/// Gives the new text of a range of the statement's file.
pub(super) fn rewrite(statement: &StatementText, range: &Range<usize>, renames: &Renames) -> Result<String, String> {
    let text = statement.span.source.text.as_str();
    let Head::Create(create) = read_head(statement) else { return Err("it makes nothing".to_owned()) };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (at, token) in statement.tokens.iter().enumerate() {
        edits.extend(name_at(statement, at, renames)?.map(|name| (token.range.clone(), plain_name(&name))));
    }
    if create.engine.as_ref().is_some_and(|engine| engine.name == "Kafka") {
        edits.extend(of_kafka(statement, renames)?);
    }
    edits.sort_by_key(|(range, _)| range.start);
    let (mut out, mut from) = (String::new(), range.start);
    for (place, new) in edits {
        out.push_str(text.get(from..place.start).unwrap_or_default());
        out.push_str(&new);
        from = place.end;
    }
    out.push_str(text.get(from..range.end).unwrap_or_default());
    Ok(out)
}

/// The new name of the table or view that a token names; nothing where it names another thing.
fn name_at(statement: &StatementText, at: usize, renames: &Renames) -> Result<Option<String>, String> {
    let text = statement.span.source.text.as_str();
    let word = |at: Option<usize>| at.and_then(|at| statement.tokens.get(at)).map_or("", |token| token.text(text));
    let Some(token) = statement.tokens.get(at).filter(|token| is_name(token)) else { return Ok(None) };
    let (before, next) = (word(at.checked_sub(1)), word(Some(at + 1)));
    let database = if before == "." { unquote(word(at.checked_sub(2))) } else { DEFAULT_DATABASE.to_owned() };
    let named = ObjectName::Relation { database, name: unquote(token.text(text)) };
    let Some(new) = renames.names.get(&named) else { return Ok(None) };
    // `FROM`, `default.` before a table; `.column` behind it.
    let begins_name =
        ["FROM", "JOIN", "TO", "TABLE", "VIEW", "EXISTS"].iter().any(|word| before.eq_ignore_ascii_case(word));
    if begins_name || before == "." || next == "." {
        return Ok(Some(new.clone()));
    }
    let (line, _) = statement.span_of(token).line_column();
    Err(format!("`{}` in line {line} may be the table or something else of that name", token.text(text)))
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
}

/// The first argument of the engine, and the value of `kafka_group_name`.
fn of_kafka(statement: &StatementText, renames: &Renames) -> Result<Vec<(Range<usize>, String)>, String> {
    let text = statement.span.source.text.as_str();
    let word = |at: usize| statement.tokens.get(at).map_or("", |token| token.text(text));
    let is = |at: usize, wanted: &str| word(at).eq_ignore_ascii_case(wanted);
    let range = |at: usize| statement.tokens.get(at).map(|token| token.range.clone());
    let engine = (0..statement.tokens.len()).find_map(|at| {
        let named = at + 1 + usize::from(word(at + 1) == "=");
        (is(at, "ENGINE") && word(named) == "Kafka" && word(named + 1) == "(").then_some(named + 2)
    });
    let first = engine.filter(|at| unquote(word(*at)) == renames.collection.0 && [",", ")"].contains(&word(at + 1)));
    let first = first.and_then(range).ok_or("its engine names no collection first")?;
    let group = (0..statement.tokens.len()).find(|at| word(*at) == "kafka_group_name" && word(at + 1) == "=");
    let group = group.and_then(|at| range(at + 2)).ok_or("its statement has no `kafka_group_name`")?;
    Ok(vec![(first, plain_name(&renames.collection.1)), (group, quote_text(&renames.group))])
}
