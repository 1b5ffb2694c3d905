//! Variables without a value as problems (pure): one for each written place, however many hosts have it.

use std::collections::BTreeMap;

use crate::fleet::HostName;
use crate::jinja::{Kind, Wrong};
use crate::problem::{Problem, Span};
use crate::secret::look::is_secret_name;

/// Why a variable has no value.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Failure {
    /// The variable whose text is wrong: another one may only refer to it.
    pub name: String,
    /// The expression.
    pub span: Span,
    /// The kind of mistake.
    pub kind: Kind,
    /// A circle of variables.
    pub is_cycle: bool,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Finds the expression's place in the written text.
    pub fn new(name: &str, span: &Span, text: &str, wrong: Wrong) -> Self {
        let place = within(span, text, &wrong);
        Self {
            name: name.to_owned(),
            span: place,
            kind: wrong.kind,
            is_cycle: false,
            message: wrong.message,
            hint: wrong.hint,
        }
    }

    /// Variables that refer to each other in a circle.
    pub fn cycle(name: &str, span: &Span, around: &[(String, Span)]) -> Self {
        let names: Vec<String> = around.iter().map(|(name, _)| format!("`{name}`")).collect();
        let places: Vec<String> = around.iter().map(|(name, span)| format!("`{name}` at {span}")).collect();
        Self {
            name: name.to_owned(),
            span: span.clone(),
            kind: Kind::Failed,
            is_cycle: true,
            message: format!("it refers to itself: {} -> `{name}`", names.join(" -> ")),
            hint: Some(format!("write one of them without the others: {}", places.join(", "))),
        }
    }

    /// The problem, for a user of the variable `used`; `whose` says on which hosts.
    pub fn problem(&self, used: &str, whose: &str) -> Problem {
        let code = match self.kind {
            _ if self.is_cycle => "HW0147",
            Kind::Syntax => "HW0140",
            Kind::Unknown => "HW0141",
            Kind::Undefined => "HW0142",
            Kind::Failed | Kind::Variable => "HW0143",
            Kind::TooMuch => "HW0144",
            Kind::Secret => "HW0145",
            Kind::Unsupported => "HW0146",
        };
        let through = if used == self.name { String::new() } else { format!(", and `{used}` refers to it") };
        let message =
            format!("`{}` has no value{whose}{through}: {}", self.name, crate::secret::mask_markers(&self.message));
        let mut problem = Problem::new(code, message).at(&self.span);
        problem.hint.clone_from(&self.hint);
        if is_secret_name(&self.name) { problem.hides_value() } else { problem }
    }

    /// The sentence and the hint for who refers to the variable.
    pub fn wrong(&self, index: usize) -> Wrong {
        let kind = if self.kind == Kind::Undefined { Kind::Undefined } else { Kind::Variable };
        let mut wrong = Wrong::new(kind, 0..0, self.message.clone());
        wrong.hint.clone_from(&self.hint);
        wrong.root = Some(index);
        wrong
    }
}

/// The place of an expression inside of a scalar, where the scalar stands in its file as it was read; else the whole scalar.
fn within(span: &Span, text: &str, wrong: &Wrong) -> Span {
    let written = span.source.text.get(span.range.clone()).unwrap_or_default();
    match (written.find(text), wrong.span.is_empty()) {
        (Some(at), false) => {
            let start = span.range.start + at;
            Span::new(span.source.clone(), start + wrong.span.start..start + wrong.span.end)
        }
        _ => span.clone(),
    }
}

/// Failures by the place where they were written, with who has them.
#[derive(Default)]
pub(super) struct Failures<'a>(BTreeMap<(String, usize, String), Found<'a>>);

struct Found<'a> {
    failure: &'a Failure,
    used: String,
    first: Option<&'a HostName>,
    others: usize,
    last: Option<&'a HostName>,
}

impl<'a> Failures<'a> {
    /// Takes a failure of a variable that is needed.
    pub fn add(&mut self, used: &str, host: Option<&'a HostName>, failure: &'a Failure) {
        // The first name that needs it stands for all of them.
        let key = (failure.span.source.name.clone(), failure.span.range.start, failure.name.clone());
        let found = Found { failure, used: used.to_owned(), first: host, others: 0, last: host };
        let found = self.0.entry(key).or_insert(found);
        if found.last != host {
            found.others += 1;
            found.last = host;
        }
    }

    /// One problem for each place.
    pub fn into_problems(self) -> Vec<Problem> {
        let problem = |found: Found<'_>| {
            let others = match found.others {
                0 => String::new(),
                1 => " and one other".to_owned(),
                others => format!(" and {others} others"),
            };
            let whose = found.first.map(|host| format!(" on host `{host}`{others}")).unwrap_or_default();
            found.failure.problem(&found.used, &whose)
        };
        self.0.into_values().map(problem).collect()
    }
}
