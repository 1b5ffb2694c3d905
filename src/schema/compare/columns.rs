//! Columns and what stands beside them in the list (pure).

use std::collections::BTreeSet;

use super::clauses::{loose_codec, loose_phrase, loose_text};
use super::{Aspect, Delta, Form, Sides, Verdict};
use crate::clickhouse::{Column, CreateKind, Definition, PartKind, Phrase, Property, canonical_type};

/// What the server keeps of a column; the rest goes into the table's keys, or nowhere.
const COMPARED: [Property; 10] = [
    Property::Default,
    Property::Materialized,
    Property::Alias,
    Property::Ephemeral,
    Property::Comment,
    Property::Codec,
    Property::Statistics,
    Property::Ttl,
    Property::Settings,
    Property::Expression,
];

impl<'a> Sides<'a> {
    pub(in crate::schema) fn columns(&self) -> Vec<Delta<'a>> {
        let (desired, base) = (&self.desired.columns, &self.base.columns);
        // A view has those of its query; a materialized one's list is made anew with its query.
        let follow = self.desired.kind == CreateKind::MaterializedView && self.form == Form::Loose;
        // No server takes two columns of one name.
        let names: BTreeSet<&str> = desired.iter().map(|column| column.name.as_str()).collect();
        if desired.is_empty() || base.is_empty() || follow || names.len() < desired.len() {
            return Vec::new();
        }
        let mut deltas = Vec::new();
        for (at, column) in desired.iter().enumerate() {
            let after = at.checked_sub(1).and_then(|at| desired.get(at)).map(|column| column.name.as_str());
            match self.base.column(&column.name) {
                None => deltas.push(Delta::NewColumn { column, after }),
                Some(base) => {
                    let aspects = self.aspects(column, base);
                    if !aspects.is_empty() {
                        deltas.push(Delta::Column { desired: column, base, aspects });
                    }
                }
            }
        }
        deltas.extend(moved(desired, base));
        deltas.extend(base.iter().filter(|base| self.desired.column(&base.name).is_none()).map(Delta::GoneColumn));
        deltas
    }

    fn aspects(&self, desired: &'a Column, base: &'a Column) -> Vec<Aspect> {
        let mut aspects = Vec::new();
        let types = [desired, base].map(|column| column.data_type.as_ref().map(|text| canonical_type(text.as_str())));
        // Without a type it is the default's, which only the server knows.
        let untold = self.form == Form::Loose && types.iter().any(Option::is_none);
        if types[0] != types[1] && !untold {
            aspects.push(Aspect::Type);
        }
        for property in COMPARED {
            let of = |definition: &'a Definition| definition.column(&desired.name).and_then(|it| it.property(property));
            if self.differs(of, |desired, base| loose_property(property, desired, base)) {
                aspects.push(Aspect::Property(property));
            }
        }
        aspects
    }

    pub(super) fn parts(&self) -> Vec<Delta<'a>> {
        if self.desired.columns.is_empty() {
            return Vec::new();
        }
        let names: BTreeSet<(PartKind, &str)> = [self.desired, self.base]
            .into_iter()
            .flat_map(|side| side.parts.iter().map(|part| (part.kind, part.name.as_str())))
            .collect();
        let find = |side: &'a Definition, (kind, name): (PartKind, &str)| {
            side.parts.iter().find(|part| part.kind == kind && part.name == name)
        };
        let mut deltas = Vec::new();
        for name in names {
            if self.differs(|side| find(side, name).map(|part| &part.body), loose_part) {
                deltas.push(Delta::Part { desired: find(self.desired, name), base: find(self.base, name) });
            }
        }
        deltas
    }
}

fn loose_property(property: Property, desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    match (property, desired, base) {
        (Property::Comment, ..) => loose_text(desired, base),
        (Property::Codec, ..) => loose_codec(desired, base),
        // The server gives statistics of its own where it is set up so.
        (Property::Statistics, None, Some(_)) => Verdict::Unsure,
        (Property::Ephemeral, Some(desired), Some(_)) if desired.as_str().is_empty() => Verdict::Same,
        _ => loose_phrase(desired, base),
    }
}

/// `GRANULARITY 1` is written where nothing is said.
fn loose_part(desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    let verdict = loose_phrase(desired, base);
    match (verdict, desired) {
        (Verdict::Differs, Some(desired)) if base.is_some() => {
            let whole = Phrase::from_text(&format!("{desired} GRANULARITY 1"));
            if loose_phrase(Some(&whole), base) == Verdict::Same { Verdict::Same } else { Verdict::Differs }
        }
        (verdict, _) => verdict,
    }
}

/// The columns that are on both sides and stand otherwise, as few as one pass can find.
fn moved<'a>(desired: &'a [Column], base: &'a [Column]) -> Vec<Delta<'a>> {
    let names = |list: &'a [Column], other: &[Column]| -> Vec<&'a str> {
        let both = |column: &&'a Column| other.iter().any(|there| there.name == column.name);
        list.iter().filter(both).map(|column| column.name.as_str()).collect()
    };
    let (wanted, mut is) = (names(desired, base), names(base, desired));
    let mut deltas = Vec::new();
    for (at, name) in wanted.iter().enumerate() {
        if is.get(at) == Some(name) {
            continue;
        }
        is.retain(|other| other != name);
        is.insert(at.min(is.len()), name);
        let place = desired.iter().position(|column| column.name == *name);
        let before = place.and_then(|place| place.checked_sub(1)).and_then(|before| desired.get(before));
        if let Some(column) = place.and_then(|place| desired.get(place)) {
            deltas.push(Delta::MovedColumn { column, after: before.map(|column| column.name.as_str()) });
        }
    }
    deltas
}

/// A definition with its `Nested` columns as the arrays that the server makes of them; each has all that is said of it.
pub(in crate::schema) fn flattened(mut definition: Definition) -> Definition {
    if definition.kind == CreateKind::Table {
        definition.columns = definition.columns.into_iter().flat_map(arrays).collect();
    }
    definition
}

fn arrays(column: Column) -> Vec<Column> {
    let elements = column.data_type.as_ref().map(Phrase::nested).unwrap_or_default();
    if elements.is_empty() {
        return vec![column];
    }
    let array = |(name, inside): (String, Phrase)| Column {
        name: format!("{}.{name}", column.name),
        data_type: Some(Phrase::from_text(&format!("Array({inside})"))),
        properties: column.properties.clone(),
    };
    elements.into_iter().map(array).collect()
}
