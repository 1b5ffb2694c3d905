//! What one evaluation may cost, and what a value holds (pure): every step, item and byte is counted before it is made.

use std::cell::Cell;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::values::{Lazy, Names, entries, items};
use super::wrong::{Kind, Wrong, reason};
use crate::secret::MARKER_START;

/// Steps of one evaluation: enough for a loop over 10,000 hosts with some work on each.
const STEPS: usize = 1_000_000;
/// The longest text that an expression may make.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// Bytes of text that one evaluation may make on its way.
const MAX_MADE: usize = 64 << 20;
/// The deepest nesting of a value; what looks at values recurses.
const MAX_DEPTH: usize = 64;

/// What is left of the work that one evaluation may do.
pub(super) struct Budget {
    steps: Cell<usize>,
    made: Cell<usize>,
}

/// What a value holds.
#[derive(Default)]
pub(super) struct Contents {
    pub secret: bool,
    pub missing: Option<Wrong>,
}

impl Budget {
    pub fn new() -> Self {
        Self { steps: Cell::new(STEPS), made: Cell::new(MAX_MADE) }
    }

    /// Takes steps.
    pub fn spend(&self, steps: usize) -> Result<(), Wrong> {
        let left = self.steps.get().checked_sub(steps).ok_or_else(|| {
            self.steps.set(0);
            too_much("the expression takes too many steps")
        })?;
        self.steps.set(left);
        Ok(())
    }

    /// Takes the bytes of a text before it is made.
    pub fn make(&self, bytes: usize) -> Result<(), Wrong> {
        let left = self.made.get().checked_sub(bytes).filter(|_| bytes <= MAX_TEXT);
        let left = left.ok_or_else(|| too_much("the expression makes too long a text"))?;
        self.made.set(left);
        Ok(())
    }

    /// Looks through a value, lazy mappings too.
    pub fn contents(&self, value: &Value) -> Result<Contents, Wrong> {
        let mut contents = Contents::default();
        self.look(value, &mut contents, 0)?;
        Ok(contents)
    }

    /// Looks through a value but not into lazy mappings.
    pub fn contents_at_hand(&self, value: &Value) -> Result<Contents, Wrong> {
        if value.downcast_object_ref::<Lazy>().is_some() { Ok(Contents::default()) } else { self.contents(value) }
    }

    fn look(&self, value: &Value, contents: &mut Contents, depth: usize) -> Result<(), Wrong> {
        self.spend(1)?;
        if depth > MAX_DEPTH {
            return Err(too_much("the value is nested too deeply"));
        }
        match value.kind() {
            ValueKind::String => contents.secret |= is_secret(value),
            ValueKind::Seq | ValueKind::Iterable if value.downcast_object_ref::<Names>().is_some() => {}
            ValueKind::Seq | ValueKind::Iterable => {
                self.spend(value.len().unwrap_or_default())?;
                for item in items(value) {
                    self.look(&item, contents, depth + 1)?;
                }
            }
            ValueKind::Map => {
                self.spend(value.len().unwrap_or_default())?;
                for (key, value) in entries(value) {
                    contents.secret |= is_secret(&key);
                    self.look(&value, contents, depth + 1)?;
                }
            }
            _ => {
                if let (None, Some(wrong)) = (&contents.missing, reason(value)) {
                    contents.missing = Some(wrong.clone());
                }
            }
        }
        Ok(())
    }
}

/// Tells whether a text holds a secret's marker.
pub(super) fn is_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(MARKER_START))
}

pub(super) fn too_much(message: &str) -> Wrong {
    let wrong = Wrong::new(Kind::TooMuch, 0..0, message);
    wrong.hint("write the value itself, or make a list of it")
}
