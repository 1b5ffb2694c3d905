//! Runs the parts of a text with `{{ }}` and `{% %}` (pure): one value alone keeps its type, several become one text.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::budget::is_secret;
use super::evaluate::{Run, computes};
use super::syntax::{Node, Part};
use super::values::{describe, entries, is_list, is_map, items};
use super::wrong::{Kind, Wrong, reason};

impl Run<'_> {
    /// The value of a whole text.
    pub fn parts(&mut self, parts: &[Part]) -> Result<Value, Wrong> {
        let mut made = Vec::new();
        self.emit(parts, &mut made)?;
        // As Ansible does: `None` is left out of a text.
        made.retain(|value| !value.is_none());
        if let [value] = made.as_slice() {
            return Ok(value.clone());
        }
        let mut text = String::new();
        for value in &made {
            let more = self.text(value)?;
            self.budget.make(text.len() + more.len())?;
            text.push_str(&more);
        }
        Ok(if made.is_empty() { Value::from(()) } else { Value::from(text) })
    }

    fn emit(&mut self, parts: &[Part], made: &mut Vec<Value>) -> Result<(), Wrong> {
        for part in parts {
            self.budget.spend(1)?;
            match part {
                Part::Text(text) => made.push(Value::from(text.as_str())),
                Part::Emit(node) => {
                    let value = self.present(node)?;
                    made.push(value);
                }
                Part::If { condition, then, otherwise } => {
                    let chosen = if self.truth(condition)? { then } else { otherwise };
                    self.emit(chosen, made)?;
                }
                Part::For { names, items, condition, body, otherwise } => {
                    let all = self.looped(names, items, condition.as_ref())?;
                    if all.is_empty() {
                        self.emit(otherwise, made)?;
                    }
                    let depth = self.locals.len();
                    for index in 0..all.len() {
                        self.locals.push(("loop".to_owned(), about_loop(index, &all)));
                        self.bind(names, &all[index], items)?;
                        self.emit(body, made)?;
                        self.locals.truncate(depth);
                    }
                }
                Part::Set { name, value } => {
                    let value = self.value(value)?;
                    self.locals.push((name.clone(), value));
                }
            }
        }
        Ok(())
    }

    /// What a loop goes over, without what its condition leaves out.
    fn looped(&mut self, names: &[String], node: &Node, condition: Option<&Node>) -> Result<Vec<Value>, Wrong> {
        let value = self.present(node)?;
        if is_secret(&value) {
            return Err(computes("a loop").at(node.span.clone()));
        }
        self.budget.spend(value.len().unwrap_or_default())?;
        let all = match value.as_str() {
            Some(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
            None if is_list(&value) || is_map(&value) => items(&value),
            None => {
                let message = format!("`for` goes over a list or a mapping, not {}", describe(&value));
                return Err(Wrong::new(Kind::Failed, node.span.clone(), message));
            }
        };
        let Some(condition) = condition else { return Ok(all) };
        let mut kept = Vec::new();
        for item in all {
            let depth = self.locals.len();
            self.bind(names, &item, node)?;
            if self.truth(condition)? {
                kept.push(item);
            }
            self.locals.truncate(depth);
        }
        Ok(kept)
    }

    fn bind(&mut self, names: &[String], item: &Value, node: &Node) -> Result<(), Wrong> {
        if let Some(wrong) = reason(item) {
            return Err(wrong.clone());
        }
        if let [name] = names {
            self.locals.push((name.clone(), item.clone()));
            return Ok(());
        }
        let values = items(item);
        if !is_list(item) || values.len() != names.len() {
            let message = format!("the loop has {} names, and an item is {}", names.len(), describe(item));
            return Err(Wrong::new(Kind::Failed, node.span.clone(), message));
        }
        self.locals.extend(names.iter().cloned().zip(values));
        Ok(())
    }
}

fn about_loop(index: usize, all: &[Value]) -> Value {
    let count = all.len();
    let number = |number: usize| Value::from(number);
    let mut about = vec![
        ("index", number(index + 1)),
        ("index0", number(index)),
        ("revindex", number(count - index)),
        ("revindex0", number(count - index - 1)),
        ("first", Value::from(index == 0)),
        ("last", Value::from(index + 1 == count)),
        ("length", number(count)),
    ];
    about.extend(index.checked_sub(1).and_then(|before| Some(("previtem", all.get(before)?.clone()))));
    about.extend(all.get(index + 1).map(|next| ("nextitem", next.clone())));
    Value::from_pairs(about)
}

/// Checks a finished value: nothing in it may be missing, and JSON must have it.
pub(super) fn finished(run: &Run<'_>, value: Value) -> Result<Value, Wrong> {
    match value.kind() {
        ValueKind::Bool | ValueKind::None | ValueKind::Number => return Ok(value),
        ValueKind::String => {
            run.budget.make(value.as_str().map_or(0, str::len))?;
            return Ok(value);
        }
        _ => {}
    }
    if let Some(wrong) = run.budget.contents(&value)?.missing {
        return Err(wrong);
    }
    // A mapping that is looked up lazily is a plain one from here on.
    Ok(if is_map(&value) { Value::from_pairs(entries(&value)) } else { value })
}
