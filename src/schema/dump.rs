//! Role files out of what live hosts have (pure).
//!
//! A file is only written where all hosts of a role have the object alike, where its statement holds no secret, and where
//! what is written reads back as what is there. Everything else is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::drift::{is_configured, is_servers_or_ours};
use super::object::{DEFAULT_DATABASE, Object, ObjectName};
use super::observe::ObservedObject;
use super::stage::Stage;
use super::{Records, diff, read, statement};
use crate::clickhouse::{CreateKind, Head, Statement, StatementText, plain_name, quote_name, read_head, split};
use crate::fleet::{Fleet, HostName, RoleName};
use crate::problem::Source;
use crate::role::{Role, SchemaFile};

/// What the server shows in the place of a secret.
const HIDDEN: &str = "[HIDDEN]";
/// The engine of databases whose tables are their own; those of the others live elsewhere.
const OWN_TABLES: &str = "Atomic";
/// What the server adds to each table of the MergeTree family, as it is without it.
const ADDED: &str = "index_granularity = 8192";
/// Of a file's name: file systems take 255 bytes.
const LONGEST_NAME: usize = 120;

/// The objects of [`statement`], each statement laid out by the server itself where it can.
#[must_use]
pub fn laid_out() -> Statement {
    Statement::new(format!(
        "SELECT kind, database, name, engine, ifNull(formatQueryOrNull(create_query), create_query) AS create_query \
         FROM ({}) ORDER BY kind, database, name",
        statement().text()
    ))
}

/// The files of one role, and what has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoleDump {
    /// Texts by their names below the role's `schema/`.
    pub files: BTreeMap<String, String>,
    /// What has no file, and why.
    pub left: Vec<Left>,
}

/// An object without a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Which one.
    pub object: ObjectName,
    /// Why.
    pub why: String,
}

/// Makes the files of every role of which a host answered.
#[must_use]
pub fn dump(fleet: &Fleet, live: &BTreeMap<HostName, Vec<ObservedObject>>) -> BTreeMap<RoleName, RoleDump> {
    let mut roles: BTreeMap<&RoleName, BTreeMap<&HostName, Vec<&ObservedObject>>> = BTreeMap::new();
    for (name, objects) in live {
        if let Some(host) = fleet.hosts.get(name) {
            let others =
                |object: &&ObservedObject| !is_servers_or_ours(&object.name) && !is_configured(host, &object.name);
            roles.entry(&host.role).or_default().insert(name, objects.iter().filter(others).collect());
        }
    }
    roles
        .into_iter()
        .filter_map(|(name, hosts)| Some((name.clone(), of_role(fleet.roles.get(name)?, &hosts))))
        .collect()
}

fn of_role(role: &Role, hosts: &BTreeMap<&HostName, Vec<&ObservedObject>>) -> RoleDump {
    let mut dump = RoleDump::default();
    let mut all: BTreeMap<&ObjectName, BTreeMap<&ObservedObject, Vec<&HostName>>> = BTreeMap::new();
    for (host, objects) in hosts {
        for object in objects {
            all.entry(&object.name).or_default().entry(object).or_default().push(*host);
        }
    }
    let elsewhere: BTreeSet<&str> = all
        .iter()
        .filter_map(|(name, forms)| match name {
            ObjectName::Database(name) if forms.keys().any(|object| object.engine != OWN_TABLES) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    for (name, forms) in &all {
        if matches!(name, ObjectName::Relation { database, .. } if elsewhere.contains(database.as_str())) {
            continue;
        }
        match alike(forms, hosts.len()).and_then(|object| text_of(role, object)) {
            Ok((stage, text)) => drop(dump.files.insert(file_name(&dump.files, stage, name), text)),
            Err(why) => dump.left.push(Left { object: (*name).clone(), why }),
        }
    }
    dump
}

/// The one form that all hosts have.
fn alike<'a>(forms: &BTreeMap<&'a ObservedObject, Vec<&HostName>>, hosts: usize) -> Result<&'a ObservedObject, String> {
    let have = forms.values().map(Vec::len).sum::<usize>();
    let sample = |hosts: &Vec<&HostName>| match hosts.as_slice() {
        [one] => format!("`{one}`"),
        [one, others @ ..] => format!("`{one}` and {} more", others.len()),
        [] => String::new(),
    };
    match forms.iter().next() {
        Some((object, _)) if forms.len() == 1 && have == hosts => Ok(object),
        Some((_, on)) if forms.len() == 1 => Err(format!("only {have} of {hosts} hosts have it: {}", sample(on))),
        _ => {
            let each = forms.values().map(sample).collect::<Vec<_>>().join("; ");
            Err(format!("it has {} forms: on {each}", forms.len()))
        }
    }
}

/// The file's text, and when the object is created.
fn text_of(role: &Role, object: &ObservedObject) -> Result<(Stage, String), String> {
    let create = match &object.name {
        ObjectName::Database(name) if object.engine == OWN_TABLES => format!("CREATE DATABASE {}", quote_name(name)),
        ObjectName::Database(_) => {
            return Err(format!("the server does not tell how to make a database of engine `{}`", object.engine));
        }
        ObjectName::Collection(_) => {
            return Err("its values are secret: write it into `clickhouse_named_collections`".to_owned());
        }
        ObjectName::Relation { .. } | ObjectName::Function(_) => object.create_query.clone(),
    };
    if create.contains(HIDDEN) {
        return Err("its statement holds a secret, which the server hides: put it into a named collection".to_owned());
    }
    let text = format!("{};\n", written(&create).ok_or("its statement is none that makes an object")?);
    let read = read_back(role, &text)?;
    // Hosts have databases in the server's own form; the statement that was made up here says nothing else.
    let same = diff(std::slice::from_ref(&read), std::slice::from_ref(object), &Records::new()).is_empty();
    if !same || read.name != object.name {
        return Err("what would be written does not read back as what is there".to_owned());
    }
    Ok((Stage::of(&read), text))
}

/// The one object of a text, as `check` would read it.
fn read_back(role: &Role, text: &str) -> Result<Object, String> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    let role = Role { schema: vec![SchemaFile { role: role.name.clone(), source }], ..role.clone() };
    let (objects, problems) = read(&role);
    if let Some(problem) = problems.first() {
        return Err(problem.message.clone());
    }
    <[Object; 1]>::try_from(objects).map(|[object]| object).map_err(|_| "it is not one statement".to_owned())
}

/// The statement as people write it: safe to run again, without what the server adds and nobody means.
fn written(create: &str) -> Option<String> {
    let source = Arc::new(Source { name: String::new(), text: create.to_owned() });
    let statement = split(&source).into_iter().next()?;
    let Head::Create(head) = read_head(&statement) else { return None };
    let before = statement.span.source.text.get(statement.span.range.start..head.name_at)?;
    let name = match head.database.as_deref() {
        Some(database) if database != DEFAULT_DATABASE => {
            format!("{}.{}", plain_name(database), plain_name(&head.name))
        }
        _ => plain_name(&head.name),
    };
    let after = behind_name(&statement, head.name_at, head.database.is_some())?;
    let after = if head.kind == CreateKind::Table { without_added(after) } else { after };
    Some(format!("{before}IF NOT EXISTS {name}{after}"))
}

/// What follows the name, and the identifier that the server gave the table.
fn behind_name(statement: &StatementText, name_at: usize, has_database: bool) -> Option<&str> {
    let text = statement.span.source.text.as_str();
    let first = statement.tokens.iter().position(|token| token.range.start == name_at)?;
    let mut last = first + if has_database { 2 } else { 0 };
    if statement.tokens.get(last + 1).is_some_and(|token| token.text(text).eq_ignore_ascii_case("UUID")) {
        last += 2;
    }
    text.get(statement.tokens.get(last)?.range.end..statement.span.range.end)
}

/// Takes the last clause off where it is nothing but what the server adds to each table.
fn without_added(text: &str) -> &str {
    let trimmed = text.strip_suffix(ADDED).map(str::trim_end).and_then(|text| text.strip_suffix("SETTINGS"));
    trimmed.map_or(text, str::trim_end)
}

/// `3_sharded_events.sql`: the stage's number puts files into the order of creation.
fn file_name(taken: &BTreeMap<String, String>, stage: Stage, name: &ObjectName) -> String {
    let number = match stage {
        Stage::Database => 1,
        Stage::Definition => 2,
        Stage::Storage => 3,
        Stage::Proxy => 4,
        Stage::Queue => 5,
        Stage::View => 6,
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    let shown = match name {
        ObjectName::Relation { database, name } if database != DEFAULT_DATABASE => format!("{database}.{name}"),
        ObjectName::Relation { name, .. }
        | ObjectName::Database(name)
        | ObjectName::Function(name)
        | ObjectName::Collection(name) => name.clone(),
    };
    let shown: String = shown.chars().map(plain).take(LONGEST_NAME).collect();
    let names = std::iter::once(String::new()).chain((2_u32..).map(|turn| format!("_{turn}")));
    let mut names = names.map(|turn| format!("{number}_{shown}{turn}.sql"));
    names.find(|name| !taken.contains_key(name)).unwrap_or_default()
}
