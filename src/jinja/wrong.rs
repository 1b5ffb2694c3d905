//! Why an expression has no value (pure).

use std::ops::Range;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

/// What kind of mistake an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The text is not in the language.
    Syntax,
    /// A filter, test, function or method that is not there.
    Unknown,
    /// A variable, attribute or item that is not there.
    Undefined,
    /// The values do not fit.
    Failed,
    /// More steps, text or nesting than an inventory needs.
    TooMuch,
    /// Something that would compute on a secret.
    Secret,
    /// Part of Ansible, but not of an inventory's meaning here: what reads files, the environment, the time or facts.
    Unsupported,
    /// Another variable, which has no value itself.
    Variable,
}

/// Why an expression has no value, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The kind of mistake.
    pub kind: Kind,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// One sentence.
    pub message: String,
    /// The near name, or the nearest way to write it.
    pub hint: Option<String>,
    /// With [`Kind::Variable`] or behind an undefined value: the number that the scope gave to the failure of the other variable.
    pub root: Option<usize>,
}

impl Wrong {
    /// Says what is wrong.
    #[must_use]
    pub fn new(kind: Kind, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { kind, span, message: message.into(), hint: None, root: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Moves the place.
    #[must_use]
    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = span;
        self
    }
}

/// A value that is not there, with the reason; `default` and `is defined` take it, anything else fails with the reason.
#[derive(Debug)]
pub(super) struct Missing(pub Wrong);

impl Object for Missing {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }
}

/// The value of a variable, attribute or item that is not there.
#[must_use]
pub fn missing(wrong: Wrong) -> Value {
    Value::from_object(Missing(wrong))
}

/// The reason why a value is not there.
pub(super) fn reason(value: &Value) -> Option<&Wrong> {
    value.downcast_object_ref::<Missing>().map(|missing| &missing.0)
}
