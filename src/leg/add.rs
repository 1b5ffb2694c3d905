//! The files of a leg beside another one: the same statements under names, a collection and a group of their own (pure).
//!
//! What is written reads back as the objects of the old leg but for these; otherwise nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Leg;
use super::pieces::pieces;
use super::rewrite::{Renames, rewrite};
use crate::clickhouse::Value;
use crate::problem::Source;
use crate::role::SchemaFile;
use crate::schema::{Object, ObjectName, read_files};

/// A leg that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Texts by their paths, as the operator would type them.
    pub files: BTreeMap<String, String>,
    /// What is made, first what the others rely on.
    pub objects: Vec<ObjectName>,
    /// The consumer group.
    pub group: String,
}

/// Writes a leg that reads the same topics from another collection.
///
/// # Errors
/// Says which statement cannot be written for it, and why.
pub fn add(old: &Leg<'_>, collection: &str, group: Option<&str>) -> Result<Added, String> {
    old.is_written_out()?;
    let from = old.collection().ok_or_else(|| {
        format!("`{}` has its brokers written in: name a collection in its place first, and apply that", old.table.name)
    })?;
    let old_group = old.group().ok_or_else(|| format!("`{}` says no `kafka_group_name`", old.table.name))?;
    let group = group.map_or_else(|| renamed(old_group, from, collection), str::to_owned);
    let mut renames = Renames { group: group.clone(), ..Renames::default() };
    renames.collection = (from.to_owned(), collection.to_owned());
    for object in old.objects() {
        let ObjectName::Relation { name, .. } = &object.name else { continue };
        renames.names.insert(object.name.clone(), renamed(name, from, collection));
    }
    for view in &old.views {
        if view.target.is_none() {
            return Err(format!("`{}` keeps its rows itself: give it a table with `TO` first", view.name));
        }
        if view.sources.iter().any(|source| *source != old.table.name && old.is_queue(source)) {
            return Err(format!("`{}` reads from another queue too", view.name));
        }
    }
    let taken = |name: &&ObjectName| old.among.iter().any(|object| object.name == **name);
    let names: Vec<ObjectName> = old.objects().filter_map(|object| new_name(&object.name, &renames)).collect();
    if let Some(name) = names.iter().find(taken) {
        return Err(format!("the role has a `{name}` already"));
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut sources: Vec<&Arc<Source>> = old.objects().map(|object| &object.span.source).collect();
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    sources.dedup_by(|one, other| one.name == other.name);
    for source in sources {
        let mut text = String::new();
        for piece in pieces(source) {
            let Some(object) = old.objects().find(|object| object.span == piece.statement.span) else { continue };
            let new = rewrite(&piece.statement, &piece.range, &renames);
            text.push_str(&new.map_err(|why| format!("`{}` cannot be written for it: {why}", object.name))?);
        }
        let text = text.trim();
        let end = if is_closed(text) { "\n" } else { ";\n" };
        files.insert(path(&source.name, from, collection), format!("{text}{end}"));
    }
    reads_back(old, &files, &renames)?;
    Ok(Added { files, objects: names, group })
}

/// A name with the collection as its suffix, in the place of the old one's.
fn renamed(name: &str, from: &str, to: &str) -> String {
    // A plain identifier and a plain file name, whatever the collection is called.
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let [from, to] = [from, to].map(|name| name.chars().map(plain).collect::<String>());
    let stem = name.strip_suffix(&from).and_then(|stem| stem.strip_suffix(['_', '-'])).unwrap_or(name);
    format!("{stem}_{to}")
}

fn new_name(name: &ObjectName, renames: &Renames) -> Option<ObjectName> {
    let ObjectName::Relation { database, .. } = name else { return None };
    let name = renames.names.get(name)?.clone();
    Some(ObjectName::Relation { database: database.clone(), name })
}

/// `groups_2_kafka.sql` beside which `groups_2_kafka_warpstream_ingestion.sql` comes.
fn path(old: &str, from: &str, to: &str) -> String {
    let stem = old.strip_suffix(".sql").unwrap_or(old);
    format!("{}.sql", renamed(stem, from, to))
}

/// Whether the last statement has its `;`: a comment may stand behind it.
fn is_closed(text: &str) -> bool {
    let tokens = crate::clickhouse::lex(text);
    tokens.iter().rfind(|token| token.is_significant()).is_some_and(|token| token.text(text) == ";")
}

/// Reads what would be written, and compares it with the old leg's objects.
fn reads_back(old: &Leg<'_>, files: &BTreeMap<String, String>, renames: &Renames) -> Result<(), String> {
    let file = |(name, text): (&String, &String)| {
        let source = Arc::new(Source { name: name.clone(), text: text.clone() });
        SchemaFile { role: old.owner.clone(), source }
    };
    let (mut found, problems) = read_files(&files.iter().map(file).collect::<Vec<_>>());
    if let Some(problem) = problems.first() {
        return Err(format!("what would be written is no schema: {}", problem.message));
    }
    let mut wanted: Vec<Object> = old.objects().map(|object| meant(object, renames)).collect();
    wanted.sort_by(|one, other| one.name.cmp(&other.name));
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some((wanted, _)) = wanted.iter().zip(&found).find(|(wanted, found)| !same(wanted, found)) {
        return Err(format!("`{}` would not read back as what is meant", wanted.name));
    }
    if wanted.len() != found.len() {
        return Err(format!("it has {} statements, and {} would be written", wanted.len(), found.len()));
    }
    Ok(())
}

fn same(one: &Object, other: &Object) -> bool {
    let parts = |object: &Object| {
        (
            object.name.clone(),
            object.kind,
            object.engine.clone(),
            object.columns.clone(),
            object.target.clone(),
            object.sources.clone(),
            object.depends_on.clone(),
            object.role.clone(),
        )
    };
    parts(one) == parts(other)
}

/// The object as it is meant for the new leg.
fn meant(object: &Object, renames: &Renames) -> Object {
    let rename = |name: &ObjectName| new_name(name, renames).unwrap_or_else(|| name.clone());
    let mut meant = object.clone();
    meant.name = rename(&object.name);
    meant.target = object.target.as_ref().map(rename);
    meant.sources = object.sources.iter().map(rename).collect();
    meant.depends_on = object
        .depends_on
        .iter()
        .map(|name| match name {
            ObjectName::Collection(name) if *name == renames.collection.0 => {
                ObjectName::Collection(renames.collection.1.clone())
            }
            other => rename(other),
        })
        .collect();
    if let Some(engine) = meant.engine.as_mut().filter(|engine| engine.name == "Kafka") {
        if let Some(first) = engine.arguments.first_mut() {
            first.value = Value::Name(renames.collection.1.clone());
        }
        let group = Value::Text(renames.group.clone());
        let argument = engine.arguments.iter_mut().find(|argument| argument.key.as_deref() == Some("kafka_group_name"));
        let setting = engine.settings.iter_mut().find(|(key, _)| key == "kafka_group_name");
        if let Some(value) = argument.map(|argument| &mut argument.value).or(setting.map(|(_, value)| value)) {
            *value = group;
        }
    }
    meant
}
