//! Reads the clauses of a CREATE (pure).

use super::super::cursor::Cursor;
use super::super::script::StatementText;
use super::{Create, CreateKind, TableName, WhenPresent, columns, engine, sources};
use crate::problem::Span;

/// Reads a CREATE; nothing where the statement is another, or makes something that no schema is made of.
pub(super) fn read(statement: &StatementText) -> Option<Create> {
    let text = statement.span.source.text.as_str();
    let mut cursor = Cursor::new(text, &statement.tokens);
    let mut create = begin(statement, &mut cursor)?;
    if !matches!(create.kind, CreateKind::Function | CreateKind::NamedCollection) {
        clauses(text, &mut cursor, &mut create);
    }
    let own = TableName { database: create.database.clone(), name: create.name.clone() };
    let mut seen = vec![own];
    create.sources.retain(|source| {
        let new = !seen.contains(source);
        seen.push(source.clone());
        new
    });
    Some(create)
}

/// Reads what stands before the clauses, and leaves the cursor there.
pub(super) fn begin(statement: &StatementText, cursor: &mut Cursor<'_>) -> Option<Create> {
    if !cursor.take(&["CREATE"]) {
        return None;
    }
    let mut when_present = WhenPresent::Fail;
    if cursor.take(&["OR", "REPLACE"]) {
        when_present = WhenPresent::Replace;
    }
    let kind = kind(cursor)?;
    if cursor.take(&["IF", "NOT", "EXISTS"]) {
        when_present = WhenPresent::Leave;
    }
    let name_at = cursor.token()?.range.start;
    let (database, name) = cursor.qualified()?;
    if cursor.take(&["UUID"]) {
        cursor.skip();
    }
    Some(Create {
        kind,
        when_present,
        database,
        name,
        name_at,
        on_cluster: on_cluster(statement, cursor),
        columns: None,
        engine: None,
        target: None,
        sources: Vec::new(),
    })
}

fn kind(cursor: &mut Cursor<'_>) -> Option<CreateKind> {
    const KINDS: [(&[&str], CreateKind); 7] = [
        (&["DATABASE"], CreateKind::Database),
        (&["TABLE"], CreateKind::Table),
        (&["MATERIALIZED", "VIEW"], CreateKind::MaterializedView),
        (&["VIEW"], CreateKind::View),
        (&["DICTIONARY"], CreateKind::Dictionary),
        (&["FUNCTION"], CreateKind::Function),
        (&["NAMED", "COLLECTION"], CreateKind::NamedCollection),
    ];
    KINDS.iter().find(|(words, _)| cursor.take(words)).map(|(_, kind)| *kind)
}

fn on_cluster(statement: &StatementText, cursor: &mut Cursor<'_>) -> Option<Span> {
    let start = cursor.token()?.range.start;
    if !cursor.take(&["ON", "CLUSTER"]) {
        return None;
    }
    let end = cursor.token().map_or(start, |token| token.range.end);
    cursor.skip();
    Some(Span::new(statement.span.source.clone(), start..end.max(start)))
}

/// Walks over the clauses that stand in no bracket.
fn clauses(text: &str, cursor: &mut Cursor<'_>, create: &mut Create) {
    while !cursor.is_done() {
        let before_engine = create.engine.is_none();
        if let Some(group) = cursor.group() {
            if create.columns.is_none() && before_engine && create.kind != CreateKind::Database {
                create.columns = columns::names(text, group);
            }
        } else if create.kind == CreateKind::MaterializedView
            && before_engine
            && create.target.is_none()
            && cursor.take(&["TO"])
        {
            create.target = cursor.qualified().map(|(database, name)| TableName { database, name });
        } else if before_engine && cursor.take(&["ENGINE"]) {
            create.engine = engine::read(text, cursor);
        } else if cursor.take(&["SETTINGS"]) {
            let settings = engine::settings(text, cursor);
            if let Some(engine) = &mut create.engine {
                engine.settings.extend(settings);
            }
        } else if create.kind == CreateKind::Dictionary && cursor.take(&["SOURCE"]) {
            if let Some(group) = cursor.group() {
                create.sources.extend(sources::of_dictionary(text, group));
            }
        } else if cursor.take(&["AS"]) {
            source(text, cursor, create);
        } else {
            cursor.skip();
        }
    }
}

/// What follows AS: a query, which is the statement's end, or another table.
fn source(text: &str, cursor: &mut Cursor<'_>, create: &mut Create) {
    if cursor.sees(&["SELECT"]) || cursor.sees(&["WITH"]) || cursor.sees(&["FROM"]) || cursor.sees_symbol("(") {
        create.sources.extend(sources::of_query(text, cursor.rest()));
        cursor.seek(usize::MAX);
        return;
    }
    // The column list of `CREATE TABLE a AS b` is b's.
    if create.kind == CreateKind::Table
        && create.engine.is_none()
        && let Some((database, name)) = cursor.qualified()
        && !cursor.sees_symbol("(")
    {
        create.sources.push(TableName { database, name });
    }
}
