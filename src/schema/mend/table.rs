//! Tables, by what their engine can alter (pure).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::columns::{self, Values};
use super::{Mend, Writer, clause_name};
use crate::clickhouse::{
    Clause, Definition, Part, PartKind, Phrase, Property, plain_name, quote_name, quote_text, split, unquote,
};
use crate::problem::Source;
use crate::schema::compare::{Aspect, Delta};
use crate::schema::engine::Family;
use crate::schema::object::Object;
use crate::schema::operation::Class;

/// Engines beside the MergeTree family that take ADD, MODIFY and DROP COLUMN.
const COLUMNS: [&str; 5] = ["Distributed", "Merge", "Null", "Buffer", "Memory"];
/// Engines that hold no rows longer than a queue does.
const ROWLESS: [&str; 4] = ["Distributed", "Merge", "Null", "Buffer"];
/// Those of them that never hold one.
const NO_ROWS: [&str; 2] = ["Merge", "Null"];
/// Settings that MergeTree refuses to change on a table that is there.
const READ_ONLY: [&str; 4] =
    ["index_granularity", "index_granularity_bytes", "enable_mixed_granularity_parts", "table_disk"];

pub(super) fn mend(object: &Object, engine: &str, deltas: &[Delta<'_>]) -> Mend {
    let merge_tree = engine.ends_with("MergeTree");
    if only_comments(deltas) || merge_tree || COLUMNS.contains(&engine) {
        match statements(object, engine, deltas) {
            Ok(writer) => return Mend::Alter(writer.operations),
            Err(hint) if !ROWLESS.contains(&engine) => return Mend::Held(hint),
            Err(_) => {}
        }
    }
    let family = Family::of(engine);
    let stays = object.engine_name() == engine || Family::of(object.engine_name()) == family;
    if (family == Family::Queue || ROWLESS.contains(&engine)) && stays && !loses_columns(engine, deltas) {
        return Mend::Recreate;
    }
    if loses_columns(engine, deltas) {
        return Mend::Held(gone(object, deltas));
    }
    Mend::Held(format!("{engine} cannot be altered so: when it holds no rows, drop it by hand and apply again"))
}

/// A queue's columns are only how its messages are read.
fn loses_columns(engine: &str, deltas: &[Delta<'_>]) -> bool {
    Family::of(engine) != Family::Queue
        && !NO_ROWS.contains(&engine)
        && deltas.iter().any(|delta| matches!(delta, Delta::GoneColumn(_)))
}

fn only_comments(deltas: &[Delta<'_>]) -> bool {
    deltas.iter().all(|delta| match delta {
        Delta::Clause { clause, .. } => *clause == Clause::Comment,
        Delta::Column { aspects, .. } => aspects.iter().all(|aspect| *aspect == Aspect::Property(Property::Comment)),
        _ => false,
    })
}

/// The statements; or why there are none.
fn statements<'a>(object: &'a Object, engine: &str, deltas: &[Delta<'_>]) -> Result<Writer<'a>, String> {
    let merge_tree = engine.ends_with("MergeTree");
    let mut writer = Writer::new(object, engine.starts_with("Replicated"));
    if deltas.iter().any(|delta| matches!(delta, Delta::GoneColumn(_))) && !NO_ROWS.contains(&engine) {
        return Err(gone(object, deltas));
    }
    let bound = bound_columns(object);
    for delta in deltas {
        if let Delta::Part { base: Some(part), .. } = delta {
            let (kind, name) = (part.kind.word(), quote_name(&part.name));
            let class = if part.kind == PartKind::Constraint { Class::Metadata } else { Class::Rewrites };
            writer.alter(class, &format!("DROP {kind} IF EXISTS {name}"), format!("drop {} {name}", part_name(part)));
        }
    }
    // A changed default may speak of a new column; a new column may stand behind a moved one.
    let moves = deltas.iter().any(|delta| matches!(delta, Delta::MovedColumn { .. }));
    let (new, rest): (Vec<_>, Vec<_>) =
        deltas.iter().partition(|delta| !moves && matches!(delta, Delta::NewColumn { .. }));
    for delta in new.into_iter().chain(rest) {
        match delta {
            Delta::NewColumn { column, after } => columns::add(&mut writer, column, *after),
            Delta::Column { desired, base, aspects } => {
                let values = match bound.contains(&base.name) {
                    _ if ROWLESS.contains(&engine) => Values::None,
                    true => Values::Bound,
                    false => Values::Stored,
                };
                columns::modify(&mut writer, desired, base, aspects, values)?;
            }
            Delta::MovedColumn { column, after } => columns::place(&mut writer, column, *after),
            Delta::GoneColumn(column) => {
                let name = quote_name(&column.name);
                writer.alter(Class::Metadata, &format!("DROP COLUMN IF EXISTS {name}"), format!("drop column {name}"));
            }
            _ => {}
        }
    }
    for delta in deltas {
        match delta {
            Delta::Part { desired: Some(part), .. } if merge_tree => {
                let (kind, name) = (part.kind.word(), quote_name(&part.name));
                let command = format!("ADD {kind} IF NOT EXISTS {name} {}", part.body);
                writer.alter(Class::Metadata, &command, format!("add {} {name}", part_name(part)));
            }
            Delta::Part { .. } if !merge_tree => return Err(format!("{engine} has no indexes: remove it")),
            Delta::Clause { clause, desired, .. } => of_clause(&mut writer, *clause, *desired, merge_tree)?,
            Delta::Setting { name, desired, .. } => setting(&mut writer, engine, name, *desired)?,
            _ => {}
        }
    }
    Ok(writer)
}

fn part_name(part: &Part) -> String {
    part.kind.word().to_ascii_lowercase()
}

fn of_clause(
    writer: &mut Writer<'_>,
    clause: Clause,
    desired: Option<&Phrase>,
    merge_tree: bool,
) -> Result<(), String> {
    match (clause, desired) {
        (Clause::Comment, desired) => {
            let text = quote_text(&desired.and_then(Phrase::value).unwrap_or_default());
            // Each replica keeps its own.
            writer.alter_here(&format!("MODIFY COMMENT {text}"), "comment on the table".to_owned());
        }
        (Clause::Ttl, Some(ttl)) if merge_tree => {
            writer.alter(Class::Rewrites, &format!("MODIFY TTL {ttl}"), "modify the TTL".to_owned());
        }
        (Clause::Ttl, None) if merge_tree => writer.alter(Class::Metadata, "REMOVE TTL", "remove the TTL".to_owned()),
        (clause, _) => {
            return Err(format!(
                "{} cannot be altered: make a table of the new form beside it, copy the rows, then `EXCHANGE TABLES`",
                clause_name(clause)
            ));
        }
    }
    Ok(())
}

fn setting(writer: &mut Writer<'_>, engine: &str, name: &str, desired: Option<&Phrase>) -> Result<(), String> {
    if READ_ONLY.contains(&name) || !(engine.ends_with("MergeTree") || engine == "Memory" && desired.is_some()) {
        return Err(format!("{engine} cannot change the setting `{name}` of a table that is there"));
    }
    let name = plain_name(name);
    let (command, what) = match desired {
        Some(value) => (format!("MODIFY SETTING {name} = {value}"), format!("set {name} = {value}")),
        None => (format!("RESET SETTING {name}"), format!("reset the setting {name}")),
    };
    writer.alter_here(&command, what);
    Ok(())
}

/// The hint for columns that nobody wants: they are never dropped by themselves, and no rename is guessed.
fn gone(object: &Object, deltas: &[Delta<'_>]) -> String {
    let names = |new: bool| -> Vec<String> {
        let name = |delta: &Delta<'_>| match delta {
            Delta::NewColumn { column, .. } if new => Some(quote_name(&column.name)),
            Delta::GoneColumn(column) if !new => Some(quote_name(&column.name)),
            _ => None,
        };
        deltas.iter().filter_map(name).collect()
    };
    let (new, gone) = (names(true), names(false));
    let table = &object.name;
    match (gone.as_slice(), new.as_slice()) {
        ([old], [new]) => format!(
            "no rename is guessed and no column dropped: if it is one, `ALTER TABLE {table} RENAME COLUMN {old} TO {new}`"
        ),
        _ => format!(
            "no column is dropped by itself: when nothing reads it, `ALTER TABLE {table} DROP COLUMN {}`",
            gone.join(", DROP COLUMN ")
        ),
    }
}

/// The columns that keys, indexes or the engine are made of: their type is fixed.
fn bound_columns(object: &Object) -> BTreeSet<String> {
    let source = Arc::new(Source { name: String::new(), text: object.statement.text().to_owned() });
    let Some(definition) = split(&source).first().and_then(Definition::read) else { return BTreeSet::new() };
    let keys = [Clause::PartitionBy, Clause::PrimaryKey, Clause::OrderBy, Clause::SampleBy, Clause::Engine];
    let clauses = keys.iter().filter_map(|clause| definition.clause(*clause));
    let parts = definition.parts.iter().filter(|part| part.kind != PartKind::Constraint).map(|part| &part.body);
    let words = |phrase: &Phrase| phrase.tokens().map(|(_, text)| unquote(text)).collect::<Vec<_>>();
    let keyed = definition.columns.iter().filter(|column| column.property(Property::PrimaryKey).is_some());
    clauses.chain(parts).flat_map(words).chain(keyed.map(|column| column.name.clone())).collect()
}
