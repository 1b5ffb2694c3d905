//! The statements of one column (pure).

use super::Writer;
use super::convert::{Conversion, conversion};
use crate::clickhouse::{Column, Phrase, Property, canonical_type, quote_name, quote_text};
use crate::schema::compare::Aspect;
use crate::schema::operation::Class;

/// What a table has of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// None: the engine passes rows on.
    None,
    /// It stores them.
    Stored,
    /// It stores them, and keys, indexes or the engine are made of them.
    Bound,
}

/// Adds a column at its place.
pub(super) fn add(writer: &mut Writer<'_>, column: &Column, after: Option<&str>) {
    let place = place_of(after);
    let shown = format!("add column {} {place}", short(column));
    writer.alter(Class::Metadata, &format!("ADD COLUMN IF NOT EXISTS {column} {place}"), shown);
}

/// Puts a column to its place; the type must stand there, or the place is read as one.
pub(super) fn place(writer: &mut Writer<'_>, column: &Column, after: Option<&str>) {
    let (name, place) = (quote_name(&column.name), place_of(after));
    let command = format!("MODIFY COLUMN {name} {} {place}", column.declaration(|_| false));
    writer.alter(Class::Metadata, &command, format!("move column {name} {place}"));
}

/// Changes what differs of a column, and nothing else of it; or tells why it cannot be.
pub(super) fn modify(
    writer: &mut Writer<'_>,
    desired: &Column,
    base: &Column,
    aspects: &[Aspect],
    values: Values,
) -> Result<(), String> {
    let name = quote_name(&desired.name);
    let default = keeps_its_place(desired, base, &name)?;
    let mut class = Class::Metadata;
    if aspects.contains(&Aspect::Type) {
        class = of_type(desired, base, &name, values)?;
    }
    let changed = |property: Property| aspects.contains(&Aspect::Property(property));
    if default.is_none()
        && let Some((kind, _)) = base.default().filter(|(kind, _)| changed(*kind))
    {
        let word = kind.words();
        writer.alter(
            Class::Metadata,
            &format!("MODIFY COLUMN {name} REMOVE {word}"),
            format!("remove {word} of {name}"),
        );
    }
    for property in [Property::Codec, Property::Ttl] {
        if changed(property) && desired.property(property).is_none() {
            let word = property.words();
            let what = format!("remove the {word} of {name}");
            writer.alter(Class::Metadata, &format!("MODIFY COLUMN {name} REMOVE {word}"), what);
        }
    }
    let put = |property: Property| {
        let told = [Property::Codec, Property::Ttl].contains(&property) || Property::DEFAULTS.contains(&property);
        told && changed(property) && desired.property(property).is_some()
    };
    if changed(Property::Ttl) && desired.property(Property::Ttl).is_some() {
        class = class.max(Class::Rewrites);
    }
    if aspects.contains(&Aspect::Type) || desired.properties.iter().any(|(property, _)| put(*property)) {
        let declaration = desired.declaration(put);
        let what = format!("modify column {name} {declaration}");
        writer.alter(class, &format!("MODIFY COLUMN {name} {declaration}"), what);
    }
    if changed(Property::Comment) {
        let text = quote_text(&desired.property(Property::Comment).and_then(Phrase::value).unwrap_or_default());
        writer.alter(Class::Metadata, &format!("COMMENT COLUMN {name} {text}"), format!("comment on column {name}"));
    }
    if changed(Property::Statistics) {
        statistics(writer, desired, base, &name);
    }
    if changed(Property::Settings) {
        settings(writer, desired, base, &name);
    }
    Ok(())
}

/// The kind of default that it should have; a column that is stored stays so, and one that is not, too.
fn keeps_its_place(desired: &Column, base: &Column, name: &str) -> Result<Option<Property>, String> {
    let is_stored = |kind: Option<Property>| !matches!(kind, Some(Property::Alias | Property::Ephemeral));
    let (wanted, is) = (desired.default().map(|(kind, _)| kind), base.default().map(|(kind, _)| kind));
    if is_stored(wanted) != is_stored(is) || (!is_stored(is) && wanted != is) {
        return Err(format!(
            "column {name} would change between stored and computed, which can stop every later mutation: add one of another name"
        ));
    }
    Ok(wanted)
}

fn of_type(desired: &Column, base: &Column, name: &str, values: Values) -> Result<Class, String> {
    let spelled = |column: &Column| column.data_type.as_ref().map(|text| canonical_type(text.as_str()));
    let (Some(wanted), Some(is)) = (spelled(desired), spelled(base)) else {
        return Err(format!("the type of column {name} is told on one side only: write it out"));
    };
    match conversion(&is, &wanted) {
        _ if values == Values::None => Ok(Class::Metadata),
        Conversion::Metadata => Ok(Class::Metadata),
        Conversion::Rewrites if values == Values::Bound => Err(format!(
            "column {name} is part of a key, an index or the engine: make a table of the new form beside it, copy the rows, then `EXCHANGE TABLES`"
        )),
        Conversion::Rewrites => Ok(Class::Rewrites),
        Conversion::CanFail => Err(format!(
            "one row of column {name} that does not convert would stop the table's mutations for good: add a column of the new type and fill it"
        )),
    }
}

fn statistics(writer: &mut Writer<'_>, desired: &Column, base: &Column, name: &str) {
    match (desired.property(Property::Statistics), base.property(Property::Statistics)) {
        (Some(kinds), Some(_)) => {
            writer.alter(
                Class::Metadata,
                &format!("MODIFY STATISTICS {name} TYPE {kinds}"),
                format!("modify statistics of {name}"),
            );
        }
        (Some(kinds), None) => {
            let command = format!("ADD STATISTICS IF NOT EXISTS {name} TYPE {kinds}");
            writer.alter(Class::Metadata, &command, format!("add statistics of {name}"));
        }
        (None, _) => {
            let command = format!("DROP STATISTICS IF EXISTS {name}");
            writer.alter(Class::Rewrites, &command, format!("drop statistics of {name}"));
        }
    }
}

fn settings(writer: &mut Writer<'_>, desired: &Column, base: &Column, name: &str) {
    if let Some(pairs) = desired.property(Property::Settings) {
        let what = format!("settings of column {name}");
        writer.alter(Class::Metadata, &format!("MODIFY COLUMN {name} MODIFY SETTING {pairs}"), what);
    }
    let keys = |column: &Column| -> Vec<String> {
        let pairs = column.property(Property::Settings).map(Phrase::list).unwrap_or_default();
        pairs.iter().filter_map(|pair| pair.tokens().next().map(|(_, text)| text.to_owned())).collect()
    };
    let wanted = keys(desired);
    let gone: Vec<String> = keys(base).into_iter().filter(|key| !wanted.contains(key)).collect();
    if !gone.is_empty() {
        let command = format!("MODIFY COLUMN {name} RESET SETTING {}", gone.join(", "));
        writer.alter(Class::Metadata, &command, format!("reset settings of column {name}"));
    }
}

fn place_of(after: Option<&str>) -> String {
    after.map_or_else(|| "FIRST".to_owned(), |name| format!("AFTER {}", quote_name(name)))
}

/// The name and the type.
fn short(column: &Column) -> String {
    format!("{} {}", quote_name(&column.name), column.declaration(|_| false)).trim_end().to_owned()
}
