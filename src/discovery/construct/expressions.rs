//! Evaluates a discovery file's expressions over an instance's variables (pure).

use serde_json::{Map, Value};

use super::super::source::{Expression, Template};
use crate::jinja::{self, Kind, Values, Wrong, from_json};

/// Why an expression gives nothing.
#[derive(Debug)]
pub(super) enum Refused {
    /// An error only where the file says `strict`; the text says why.
    Fails(String),
    /// An error in any case.
    Invalid(String),
}

impl From<Wrong> for Refused {
    fn from(wrong: Wrong) -> Self {
        match wrong.kind {
            Kind::TooMuch | Kind::Secret | Kind::Unsupported => Self::Invalid(wrong.message),
            _ => Self::Fails(wrong.message),
        }
    }
}

/// What expressions see.
pub(super) fn scope(vars: &Map<String, Value>) -> Values {
    vars.iter().map(|(name, value)| (name.clone(), from_json(value))).collect()
}

/// The value of an expression.
pub(super) fn value(expression: &Expression, scope: &Values) -> Result<Value, Refused> {
    Ok(jinja::to_json(&expression.parsed.value(scope)?))
}

/// Whether a condition holds.
pub(super) fn condition(expression: &Expression, scope: &Values) -> Result<bool, Refused> {
    Ok(expression.parsed.truth(scope)?)
}

/// A text with its `{{ }}` filled in.
pub(super) fn template(template: &Template, scope: &Values) -> Result<Value, Refused> {
    match &template.parsed {
        Some(parsed) => Ok(jinja::to_json(&parsed.value(scope)?)),
        None => Ok(Value::from(template.text.as_str())),
    }
}
