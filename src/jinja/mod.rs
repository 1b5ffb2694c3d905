//! Expressions in the operator's values, in Jinja's language (pure).
//!
//! An expression sees nothing but its [`Scope`]: no files, no environment, no clock. Its steps, its nesting and what it makes are
//! bounded. A secret passes through as its marker and is never computed on.

mod budget;
mod evaluate;
mod filters;
mod library;
mod operators;
mod syntax;
mod template;
mod values;
mod wrong;

use std::collections::BTreeMap;
use std::fmt;

pub use minijinja::Value;
pub use values::{from_json, lazy, names, to_json};
pub use wrong::{Kind, Wrong, missing};

use evaluate::Run;

/// Where the names of an expression are looked up, each when it is needed.
pub trait Scope: fmt::Debug + Send + Sync {
    /// The value of a name; nothing where there is no such name, a mistake where its own value cannot be had.
    fn get(&self, name: &str) -> Option<Result<Value, Wrong>>;
    /// All names, for near names and loops.
    fn names(&self) -> Vec<String>;
}

/// A bare expression, such as `tags.Role == 'data'`.
#[derive(Debug)]
pub struct Expression(syntax::Node);

impl Expression {
    /// Reads an expression and finds every filter, test and function that it names.
    ///
    /// # Errors
    /// Says where the text is not in the language, or what it names that is not there.
    pub fn new(text: &str) -> Result<Self, Wrong> {
        let node = syntax::expression(text)?;
        library::known(&node)?;
        Ok(Self(node))
    }

    /// Evaluates the expression; the type of its value is kept.
    ///
    /// # Errors
    /// Says what goes wrong, and where in the text.
    pub fn value(&self, scope: &dyn Scope) -> Result<Value, Wrong> {
        let mut run = Run::new(scope);
        let value = run.present(&self.0)?;
        template::finished(&run, value)
    }

    /// Evaluates the expression as a condition.
    ///
    /// # Errors
    /// Says what goes wrong, and where in the text.
    pub fn truth(&self, scope: &dyn Scope) -> Result<bool, Wrong> {
        Run::new(scope).truth(&self.0)
    }
}

/// A text that holds `{{ }}`, `{% %}` or `{# #}`.
#[derive(Debug)]
pub struct Template {
    parts: Vec<syntax::Part>,
    /// Newlines that the text ends with: the engine takes one away, and it belongs to the value.
    newlines: usize,
}

impl Template {
    /// Tells whether a text is one.
    #[must_use]
    pub fn is_in(text: &str) -> bool {
        text.as_bytes().windows(2).any(|two| matches!(two, b"{{" | b"{%" | b"{#"))
    }

    /// Reads a text and finds every filter, test and function that it names.
    ///
    /// # Errors
    /// Says where the text is not in the language, or what it names that is not there.
    pub fn new(text: &str) -> Result<Self, Wrong> {
        let parts = syntax::parts(text)?;
        library::known_in(&parts)?;
        Ok(Self { parts, newlines: newlines(text) })
    }

    /// Evaluates the text; where it is one `{{ expression }}` and nothing else, the type of the value is kept.
    ///
    /// # Errors
    /// Says what goes wrong, and where in the text.
    pub fn value(&self, scope: &dyn Scope) -> Result<Value, Wrong> {
        let mut run = Run::new(scope);
        let mut value = run.parts(&self.parts)?;
        if let Some(text) = value.as_str() {
            let lost = self.newlines.saturating_sub(newlines(text));
            value = Value::from(format!("{text}{}", "\n".repeat(lost)));
        }
        template::finished(&run, value)
    }
}

/// How many newlines a text ends with.
fn newlines(text: &str) -> usize {
    text.len() - text.trim_end_matches('\n').len()
}

/// One of Python's regular expressions, matched from a text's begin.
///
/// # Errors
/// Says why it is none, or what it uses that is not read.
pub fn regex_at_begin(pattern: &str) -> Result<regex::Regex, Wrong> {
    filters::compile(pattern, filters::Flags { anchored: true, ..filters::Flags::default() })
}

/// The first reason in a value why a part of it is not there.
#[must_use]
pub fn first_missing(value: &Value) -> Option<Wrong> {
    match budget::Budget::new().contents(value) {
        Ok(contents) => contents.missing,
        Err(wrong) => Some(wrong),
    }
}

/// A scope with values that are at hand.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, Value>);

impl FromIterator<(String, Value)> for Values {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Scope for Values {
    fn get(&self, name: &str) -> Option<Result<Value, Wrong>> {
        self.0.get(name).cloned().map(Ok)
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

/// Every filter and test that an expression can name, for the documentation.
#[must_use]
pub fn vocabulary() -> (Vec<&'static str>, Vec<&'static str>) {
    library::vocabulary()
}

#[cfg(test)]
mod tests;
