//! What differs, for people (pure).
//!
//! A secret never stands in it: what is named or looks like one is hidden, and arguments of engines that may take one
//! are left out.

use super::{Aspect, Delta};
use crate::clickhouse::{Clause, Column, Part, Phrase, Property, canonical_type, plain_name, unquote};
use crate::schema::mend::clause_name;
use crate::schema::operation::Difference;
use crate::secret::look::{is_secret_name, is_secret_value};

/// Enough to see what it is about; the statement itself is in its file.
const LONGEST: usize = 200;
/// Engines whose arguments never hold a secret.
const OPEN: [&str; 6] = ["Distributed", "Buffer", "Merge", "Join", "Set", "Null"];

/// Says what a delta is.
pub(in crate::schema) fn told(delta: &Delta<'_>) -> Difference {
    let named = |what: &str, name: &str| format!("{what} {}", plain_name(name));
    match delta {
        Delta::NewColumn { column, .. } => difference(named("column", &column.name), &column.declaration(|_| true), ""),
        Delta::GoneColumn(column) => difference(named("column", &column.name), "", &column.declaration(|_| true)),
        Delta::MovedColumn { column, after } => {
            let place = after.map_or_else(|| "first".to_owned(), |after| format!("behind {after}"));
            difference(named("place of column", &column.name), &place, "another")
        }
        Delta::Column { desired, base, aspects } => {
            let side = |column: &Column| {
                let of = |aspect: &Aspect| match aspect {
                    Aspect::Type => column.data_type.as_ref().map(|text| canonical_type(text.as_str())),
                    Aspect::Property(Property::Flag) => None,
                    Aspect::Property(property) => {
                        column.property(*property).map(|phrase| format!("{} {phrase}", property.words()))
                    }
                };
                aspects.iter().filter_map(of).collect::<Vec<_>>().join(" ")
            };
            let plain = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
            difference(named("column", &desired.name), &plain(side(desired)), &plain(side(base)))
        }
        Delta::Part { desired, base } => {
            let part = desired.or(*base);
            let what = part.map(|part| named(&part.kind.word().to_ascii_lowercase(), &part.name)).unwrap_or_default();
            let body = |part: Option<&Part>| part.map(|part| part.body.to_string()).unwrap_or_default();
            difference(what, &body(*desired), &body(*base))
        }
        Delta::Clause { clause, desired, base } => {
            let side = |phrase: Option<&Phrase>| phrase.map(|phrase| clause_text(*clause, phrase)).unwrap_or_default();
            difference(clause_name(*clause).to_owned(), &side(*desired), &side(*base))
        }
        Delta::Setting { name, desired, base } => {
            let side = |phrase: Option<&Phrase>| match phrase {
                None => String::new(),
                Some(_) if is_secret_name(name) => "[HIDDEN]".to_owned(),
                Some(phrase) => phrase.to_string(),
            };
            difference(named("setting", name), &side(*desired), &side(*base))
        }
    }
}

fn difference(what: String, desired: &str, observed: &str) -> Difference {
    let shown = |text: &str| {
        if Phrase::from_text(text).tokens().any(|(_, token)| is_secret_value(&unquote(token))) {
            return "[HIDDEN]".to_owned();
        }
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        }
    };
    Difference { what, desired: shown(desired), observed: shown(observed) }
}

fn clause_text(clause: Clause, phrase: &Phrase) -> String {
    let name = phrase.tokens().next().map(|(_, name)| unquote(name)).unwrap_or_default();
    match clause {
        Clause::Engine if name == "Kafka" => {
            let pairs = phrase.arguments().map(|inside| inside.list()).unwrap_or_default();
            let shown = |pair: &Phrase| {
                let key = pair.tokens().next().map(|(_, key)| key.to_owned()).unwrap_or_default();
                if is_secret_name(&key) { format!("{key} = [HIDDEN]") } else { pair.to_string() }
            };
            format!("Kafka({})", pairs.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Clause::Engine if !name.ends_with("MergeTree") && !OPEN.contains(&name.as_str()) => name,
        Clause::Source => name,
        _ => phrase.to_string(),
    }
}
