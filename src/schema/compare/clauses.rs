//! Clauses and settings, each as far as the server's form of it can be compared (pure).

use std::collections::BTreeSet;

use super::{Delta, Form, Sides, Verdict};
use crate::clickhouse::{Clause, CreateKind, Definition, Phrase, exact_words, loose_words};
use crate::schema::object::ObjectName;

/// All that a definition has clauses for.
const CLAUSES: [Clause; 17] = [
    Clause::Engine,
    Clause::PartitionBy,
    Clause::PrimaryKey,
    Clause::OrderBy,
    Clause::SampleBy,
    Clause::Ttl,
    Clause::Target,
    Clause::Refresh,
    Clause::Security,
    Clause::Source,
    Clause::Layout,
    Clause::Lifetime,
    Clause::Range,
    Clause::Query,
    Clause::Comment,
    Clause::Columns,
    Clause::Unknown,
];

impl<'a> Sides<'a> {
    pub(super) fn clauses(&self) -> Vec<Delta<'a>> {
        let of = |definition: &'a Definition, clause| match clause {
            Clause::Engine => definition.clause(clause).filter(|_| definition.kind != CreateKind::Database),
            // What a table was filled with once says nothing of what it is.
            Clause::Query => definition.clause(clause).filter(|_| definition.kind != CreateKind::Table),
            _ => definition.clause(clause),
        };
        let copies = self.desired.clause(Clause::Copies).is_some();
        let differs = |clause: &Clause| {
            let verdict = |desired: Option<&Phrase>, base: Option<&Phrase>| match clause {
                // A table that is made as another takes its comment.
                Clause::Comment if copies && desired.is_none() => Verdict::Unsure,
                _ => loose(*clause, desired, base),
            };
            self.differs(|definition| of(definition, *clause), verdict)
        };
        let delta = |clause| Delta::Clause { clause, desired: of(self.desired, clause), base: of(self.base, clause) };
        CLAUSES.into_iter().filter(differs).map(delta).collect()
    }

    pub(super) fn settings(&self) -> Vec<Delta<'a>> {
        let sides = [self.desired, self.base];
        let names: BTreeSet<&'a str> = sides.iter().flat_map(|side| side.settings.keys().map(String::as_str)).collect();
        let differs = |name: &&'a str| self.differs(|side| side.settings.get(*name), loose_setting);
        let delta = |name| Delta::Setting {
            name,
            desired: self.desired.settings.get(name),
            base: self.base.settings.get(name),
        };
        let found = names.into_iter().filter(|name| !is_of_the_statement(name)).filter(differs);
        // The server writes its default granularity into every statement.
        let added = |name: &&str| {
            *name == "index_granularity" && self.form == Form::Loose && !self.desired.settings.contains_key(*name)
        };
        found.filter(|name| !added(name)).map(delta).collect()
    }
}

/// Settings that let a CREATE be run, and are no setting of the table: the server keeps none of them. From
/// `system.settings` and `system.merge_tree_settings` of 25.8.
fn is_of_the_statement(name: &str) -> bool {
    const OF_THE_TABLE: [&str; 3] = [
        "allow_experimental_replacing_merge_with_cleanup",
        "allow_experimental_reverse_key",
        "allow_suspicious_indices",
    ];
    let permits = ["allow_experimental_", "allow_suspicious_", "allow_deprecated_"];
    (permits.iter().any(|start| name.starts_with(start)) && !OF_THE_TABLE.contains(&name))
        || (name.starts_with("enable_") && name.ends_with("_type"))
        || ["flatten_nested", "data_type_default_nullable"].contains(&name)
}

fn loose(clause: Clause, desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    match (clause, desired, base) {
        (Clause::Comment, ..) => loose_text(desired, base),
        (Clause::Engine, Some(desired), Some(base)) => loose_engine(desired, base),
        (Clause::Target, Some(desired), Some(base)) => (table(desired) == table(base)).into(),
        (Clause::Lifetime, Some(desired), Some(base)) => match (lifetime(desired), lifetime(base)) {
            (Some(desired), Some(base)) => (desired == base).into(),
            _ => Verdict::Unsure,
        },
        // The server adds what follows from the other clauses, the creating user, or its own settings.
        (Clause::Engine | Clause::PrimaryKey | Clause::OrderBy | Clause::Security | Clause::Target, ..)
            if desired.is_none() || base.is_none() =>
        {
            Verdict::Unsure
        }
        (Clause::Security | Clause::Columns | Clause::Unknown, ..) => Verdict::Unsure,
        _ => loose_phrase(desired, base),
    }
}

/// Two runs of tokens, where the server may have written the second.
pub(super) fn loose_phrase(desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    let (Some(desired), Some(base)) = (desired, base) else { return (desired.is_none() && base.is_none()).into() };
    if exact_words(desired) == exact_words(base) {
        return Verdict::Same;
    }
    match (loose_words(desired), loose_words(base)) {
        (Some(desired), Some(base)) => (desired == base).into(),
        _ => Verdict::Unsure,
    }
}

/// Two strings; an empty one is none.
pub(super) fn loose_text(desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    let value = |phrase: Option<&Phrase>| phrase.and_then(Phrase::value).filter(|text| !text.is_empty());
    (value(desired) == value(base)).into()
}

/// The server fills in levels and widths, so only those that both sides tell count.
pub(super) fn loose_codec(desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    let (Some(desired), Some(base)) = (desired, base) else { return (desired.is_none() && base.is_none()).into() };
    let (desired, base) = (desired.list(), base.list());
    let same = |(desired, base): (&Phrase, &Phrase)| {
        let ([desired, base], arguments) = ([desired, base].map(call), |side: &Option<Phrase>| side.is_none());
        desired.0.eq_ignore_ascii_case(&base.0)
            && (arguments(&desired.1)
                || arguments(&base.1)
                || loose_phrase(desired.1.as_ref(), base.1.as_ref()) == Verdict::Same)
    };
    (desired.len() == base.len() && desired.iter().zip(&base).all(same)).into()
}

/// `name(arguments)`.
fn call(phrase: &Phrase) -> (String, Option<Phrase>) {
    let name = phrase.tokens().next().map(|(_, text)| crate::clickhouse::unquote(text)).unwrap_or_default();
    (name, phrase.arguments().filter(|inside| !inside.as_str().is_empty()))
}

/// The server puts the path and the replica's name before the arguments of a replicated engine that has none.
fn loose_engine(desired: &Phrase, base: &Phrase) -> Verdict {
    let ((desired, ours), (base, theirs)) = (call(desired), call(base));
    // Some engines have several names.
    if desired != base {
        return Verdict::Differs;
    }
    let list = |arguments: Option<Phrase>| arguments.map(|arguments| arguments.list()).unwrap_or_default();
    let (ours, mut theirs) = (list(ours), list(theirs));
    let is_text = |argument: Option<&Phrase>| argument.is_some_and(|text| text.as_str().starts_with('\''));
    if desired.starts_with("Replicated") && !is_text(ours.first()) && is_text(theirs.first()) {
        theirs.drain(..2.min(theirs.len()));
    }
    if ours.len() != theirs.len() {
        return Verdict::Differs;
    }
    let verdicts: Vec<Verdict> = ours.iter().zip(&theirs).map(|(ours, theirs)| loose_argument(ours, theirs)).collect();
    let worst = [Verdict::Differs, Verdict::Unsure].into_iter().find(|verdict| verdicts.contains(verdict));
    worst.unwrap_or(Verdict::Same)
}

fn loose_argument(ours: &Phrase, theirs: &Phrase) -> Verdict {
    match (ours.value(), theirs.value()) {
        (Some(ours), Some(theirs)) if ours == theirs => Verdict::Same,
        // The server fills `{database}`, `{table}` and `{uuid}` in, and its default database.
        (Some(ours), _) if ours.contains('{') || ours.is_empty() => Verdict::Unsure,
        (_, Some(theirs)) if theirs.contains("[HIDDEN]") => Verdict::Unsure,
        (Some(_), Some(_)) => loose_setting(Some(ours), Some(theirs)),
        (Some(_), None) | (None, Some(_)) => Verdict::Unsure,
        (None, None) => loose_phrase(Some(ours), Some(theirs)),
    }
}

/// Two values, of which one may be a string and the other a number or a word.
fn loose_setting(desired: Option<&Phrase>, base: Option<&Phrase>) -> Verdict {
    let value = |phrase: &Phrase| {
        let words = loose_words(&Phrase::from_text(&phrase.value().unwrap_or_else(|| phrase.to_string())));
        words.map(|words| words.concat().replace("true", "1").replace("false", "0"))
    };
    match (desired, base) {
        (Some(desired), Some(base)) if desired.value().is_some() && desired.value() == base.value() => Verdict::Same,
        (Some(desired), Some(base)) => match (value(desired), value(base)) {
            (Some(desired), Some(base)) => (desired == base).into(),
            _ => Verdict::Unsure,
        },
        // Some settings are the server's own addition.
        (None, Some(_)) => Verdict::Unsure,
        (Some(_), None) => Verdict::Differs,
        (None, None) => Verdict::Same,
    }
}

fn table(phrase: &Phrase) -> ObjectName {
    let words = exact_words(phrase);
    match words.as_slice() {
        [database, dot, name] if dot == "." => ObjectName::relation(Some(database), name),
        _ => ObjectName::relation(None, &words.concat()),
    }
}

/// The least and the most seconds of `LIFETIME(...)`; one number is the most.
fn lifetime(phrase: &Phrase) -> Option<(u64, u64)> {
    let words: Vec<String> = exact_words(phrase).into_iter().filter(|word| word != "(" && word != ")").collect();
    let number = |text: &String| text.parse::<u64>().ok();
    match words.as_slice() {
        [most] => Some((0, number(most)?)),
        [min, least, max, most] if min == "MIN" && max == "MAX" => Some((number(least)?, number(most)?)),
        [max, most, min, least] if min == "MIN" && max == "MAX" => Some((number(least)?, number(most)?)),
        _ => None,
    }
}
