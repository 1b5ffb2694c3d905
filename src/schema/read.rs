//! Reads a role's SQL files into objects (pure).
//!
//! Only CREATE is taken; every other statement is refused by name, all of them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::object::{DEFAULT_DATABASE, Object, ObjectKind, ObjectName};
use super::observe::ObservedObject;
use super::{code, engine, literal};
use crate::clickhouse::{
    Create, CreateKind, Effect, Head, Statement, StatementText, TableName, TokenKind, WhenPresent, read_head, split,
    unclosed,
};
use crate::fleet::RoleName;
use crate::problem::{Problem, Source};
use crate::role::{Role, SchemaFile};

/// Reads all of a role's files, its included roles' among them.
#[must_use]
pub fn read(role: &Role) -> (Vec<Object>, Vec<Problem>) {
    read_files(&role.schema)
}

/// Reads files, whichever role has them.
#[must_use]
pub fn read_files(files: &[SchemaFile]) -> (Vec<Object>, Vec<Problem>) {
    let (mut objects, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        problems.extend(unclosed(&file.source));
        for statement in split(&file.source).iter().filter(|statement| !is_unclosed(statement)) {
            problems.extend(literal::check(statement));
            match from_statement(file, statement) {
                Ok(object) => {
                    problems.extend(replaces_rows(statement));
                    objects.push(object);
                }
                Err(problem) => problems.push(*problem),
            }
        }
    }
    problems.extend(twice(&objects));
    (objects, problems)
}

/// A statement that is cut off is told of already.
fn is_unclosed(statement: &StatementText) -> bool {
    statement.tokens.last().is_some_and(|token| matches!(token.kind, TokenKind::Unclosed(_)))
}

/// Reads one statement as an object.
pub(super) fn from_statement(file: &SchemaFile, statement: &StatementText) -> Result<Object, Box<Problem>> {
    let create = match read_head(statement) {
        Head::Create(create) => create,
        Head::Other { verb, effect } => return Err(Box::new(no_create(statement, &verb, effect))),
    };
    if let Some(span) = &create.on_cluster {
        let message = "`ON CLUSTER` is refused: the statement goes to exactly the hosts whose role has it";
        return Err(Box::new(Problem::new(code::ON_CLUSTER, message).at(span).hint("remove `ON CLUSTER ...`")));
    }
    Ok(make(file, statement, &create))
}

/// Whoever writes `CREATE OR REPLACE TABLE` may believe that each run empties the table.
fn replaces_rows(statement: &StatementText) -> Option<Problem> {
    let words = statement.tokens.iter().map(|token| token.text(&statement.span.source.text));
    let is_meant =
        words.zip(["CREATE", "OR", "REPLACE", "TABLE"]).all(|(word, meant)| word.eq_ignore_ascii_case(meant));
    let message = "`OR REPLACE` is read as a plain `CREATE`: rows stay, what differs is altered";
    is_meant.then(|| Problem::note(code::OR_REPLACE, message).at(&statement.span).hint("remove `OR REPLACE`"))
}

fn no_create(statement: &StatementText, verb: &str, effect: Effect) -> Problem {
    let message = match effect {
        Effect::Destroys => format!("`{verb}` has no place in a role's schema: it says what should be there"),
        Effect::Keeps => format!("`{verb}` makes no object that a role's schema can hold"),
    };
    let first = statement.tokens.first().map_or_else(|| statement.span.clone(), |token| statement.span_of(token));
    Problem::new(code::NO_CREATE, message)
        .at(&first)
        .hint("write `CREATE DATABASE | TABLE | MATERIALIZED VIEW | VIEW | DICTIONARY | FUNCTION | NAMED COLLECTION`")
}

fn make(file: &SchemaFile, statement: &StatementText, create: &Create) -> Object {
    let database = create.database.as_deref();
    let (kind, name) = match create.kind {
        CreateKind::Database => (ObjectKind::Database, ObjectName::Database(create.name.clone())),
        CreateKind::Function => (ObjectKind::Function, ObjectName::Function(create.name.clone())),
        CreateKind::NamedCollection => (ObjectKind::NamedCollection, ObjectName::Collection(create.name.clone())),
        CreateKind::Table => (ObjectKind::Table, ObjectName::relation(database, &create.name)),
        CreateKind::View => (ObjectKind::View, ObjectName::relation(database, &create.name)),
        CreateKind::Dictionary => (ObjectKind::Dictionary, ObjectName::relation(database, &create.name)),
        CreateKind::MaterializedView => (ObjectKind::MaterializedView, ObjectName::relation(database, &create.name)),
    };
    let relation = |table: &TableName| ObjectName::relation(table.database.as_deref(), &table.name);
    let mut object = Object {
        name,
        kind,
        engine: create.engine.clone(),
        columns: create.columns.clone(),
        target: create.target.as_ref().map(relation),
        sources: create.sources.iter().map(relation).collect(),
        depends_on: BTreeSet::new(),
        statement: repeatable(statement, create),
        role: file.role.clone(),
        span: statement.span.clone(),
    };
    object.depends_on = depends_on(&object);
    object
}

/// The statement that puts an object in the place of the one that is there.
pub(super) fn replacing(object: &Object) -> Option<Statement> {
    let source = Arc::new(Source { name: String::new(), text: object.statement.text().to_owned() });
    let statement = split(&source).into_iter().next()?;
    let Head::Create(create) = read_head(&statement) else { return None };
    let kind = match create.kind {
        CreateKind::View => "VIEW",
        CreateKind::Dictionary => "DICTIONARY",
        CreateKind::Function => "FUNCTION",
        _ => return None,
    };
    let rest = source.text.get(create.name_at..)?;
    Some(Statement::new(format!("CREATE OR REPLACE {kind} {rest}")))
}

/// Puts `IF NOT EXISTS` before the name where it is missing, and takes `OR REPLACE` out.
fn repeatable(statement: &StatementText, create: &Create) -> Statement {
    let (text, start) = (statement.text(), statement.span.range.start);
    let kind_at = statement.tokens.get(3).map_or(0, |token| token.range.start.saturating_sub(start));
    let (before, after) = text.split_at_checked(create.name_at.saturating_sub(start)).unwrap_or(("", text));
    match create.when_present {
        WhenPresent::Leave => Statement::new(text),
        WhenPresent::Fail => Statement::new(format!("{before}IF NOT EXISTS {after}")),
        WhenPresent::Replace => {
            let kind = before.get(kind_at..).unwrap_or_default();
            Statement::new(format!("CREATE {kind}IF NOT EXISTS {after}"))
        }
    }
}

fn depends_on(object: &Object) -> BTreeSet<ObjectName> {
    let databases = match &object.name {
        ObjectName::Relation { database, .. } if database != DEFAULT_DATABASE => {
            Some(ObjectName::Database(database.clone()))
        }
        _ => None,
    };
    let collection = engine::collection(object).map(|name| ObjectName::Collection(name.to_owned()));
    let tables = object.sources.iter().chain(&object.target).filter(|name| !name.is_system()).cloned();
    tables.chain(databases).chain(collection).filter(|name| *name != object.name).collect()
}

fn twice(objects: &[Object]) -> Vec<Problem> {
    let mut first: BTreeMap<&ObjectName, &Object> = BTreeMap::new();
    let mut problems = Vec::new();
    for object in objects {
        if let Some(other) = first.insert(&object.name, object) {
            let message = format!("`{}` is created twice: first at {}", object.name, other.span);
            problems.push(Problem::new(code::TWICE, message).at(&object.span).hint("one object has one owner"));
            first.insert(&object.name, other);
        }
    }
    problems
}

/// Reads the server's own statement of a live object; nothing where it tells none.
#[must_use]
pub fn read_live(live: &ObservedObject, role: &RoleName) -> Option<Object> {
    let source = Arc::new(Source { name: live.name.to_string(), text: live.create_query.clone() });
    let file = SchemaFile { role: role.clone(), source };
    from_statement(&file, split(&file.source).first()?).ok()
}

/// Whether a server's own statement cannot be kept and sent again as it is: it has a secret, or the server hides one.
#[must_use]
pub fn hides_a_secret(live: &ObservedObject) -> bool {
    let source = Arc::new(Source { name: live.name.to_string(), text: live.create_query.clone() });
    live.create_query.contains("[HIDDEN]")
        || split(&source).iter().any(|statement| !literal::check(statement).is_empty())
}
