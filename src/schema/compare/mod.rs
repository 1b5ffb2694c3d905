//! What differs between an object as its role wants it and as its host has it (pure).
//!
//! Three texts are compared: the desired statement, the server's own, and the recorded one. Where the server's is still
//! as it was right after the recorded statement was applied, the two statements of the operator say all. Where it is
//! not, each part is compared with the server's in the loose form, and where that cannot tell, the record decides; with
//! no record what cannot be compared surely is no difference.

mod clauses;
mod columns;
mod told;

use crate::clickhouse::{Clause, Column, Definition, Part, Phrase, Property, exact_words, unquote};

pub(super) use columns::flattened;
pub(super) use told::told;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delta<'a> {
    /// A column is missing; it belongs behind another, or first.
    NewColumn { column: &'a Column, after: Option<&'a str> },
    /// A column is otherwise.
    Column { desired: &'a Column, base: &'a Column, aspects: Vec<Aspect> },
    /// A column stands elsewhere.
    MovedColumn { column: &'a Column, after: Option<&'a str> },
    /// A column that nobody wants.
    GoneColumn(&'a Column),
    /// An index, projection or constraint.
    Part { desired: Option<&'a Part>, base: Option<&'a Part> },
    /// A clause.
    Clause { clause: Clause, desired: Option<&'a Phrase>, base: Option<&'a Phrase> },
    /// A setting of the object.
    Setting { name: &'a str, desired: Option<&'a Phrase>, base: Option<&'a Phrase> },
}

/// What of a column differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aspect {
    /// Its type.
    Type,
    /// What is said behind it.
    Property(Property),
}

/// The desired statement and what it is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    /// As the role wants it.
    pub desired: &'a Definition,
    /// As it is: the recorded statement, or the server's.
    pub base: &'a Definition,
    /// Which of them.
    pub form: Form,
    /// The recorded statement, where the base is the server's.
    pub recorded: Option<&'a Definition>,
}

/// Whose statement the base is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The operator's own.
    Exact,
    /// The server's.
    Loose,
}

/// What comparing with the server's form can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Differs,
    Unsure,
}

impl From<bool> for Verdict {
    fn from(same: bool) -> Self {
        if same { Self::Same } else { Self::Differs }
    }
}

impl<'a> Sides<'a> {
    /// Everything that differs: clauses and settings, then columns, then the other parts of the list.
    ///
    /// Beside another engine nothing else counts.
    pub(super) fn deltas(&self) -> Vec<Delta<'a>> {
        let clauses = self.clauses();
        if let Some(engine) = clauses.iter().find(|delta| is_other_engine(delta)) {
            return vec![engine.clone()];
        }
        let mut deltas = clauses;
        deltas.extend(self.settings());
        deltas.extend(self.columns());
        deltas.extend(self.parts());
        deltas
    }

    /// Whether one run of tokens differs, which `of` finds in a definition.
    fn differs(
        &self,
        of: impl Fn(&'a Definition) -> Option<&'a Phrase>,
        loose: impl Fn(Option<&Phrase>, Option<&Phrase>) -> Verdict,
    ) -> bool {
        let desired = of(self.desired);
        let as_written = |other: Option<&Phrase>| desired.map(exact_words) == other.map(exact_words);
        match self.form {
            Form::Exact => !as_written(of(self.base)),
            Form::Loose => match loose(desired, of(self.base)) {
                Verdict::Same => false,
                Verdict::Differs => true,
                Verdict::Unsure => self.recorded.is_some_and(|recorded| !as_written(of(recorded))),
            },
        }
    }
}

fn is_other_engine(delta: &Delta<'_>) -> bool {
    let name = |phrase: &Phrase| phrase.tokens().next().map(|(_, name)| unquote(name));
    matches!(delta, Delta::Clause { clause: Clause::Engine, desired: Some(desired), base: Some(base) }
        if name(desired) != name(base))
}
