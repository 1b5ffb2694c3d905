//! Evaluates a discovery file's expressions over an instance's variables (pure).

use serde_json::{Map, Value};

/// The value of an expression; the error is one sentence for a person.
pub(super) fn value(expression: &str, vars: &Map<String, Value>) -> Result<Value, String> {
    let mut parts = expression.split('.');
    let first = parts.next().unwrap_or_default().trim();
    let mut value = vars.get(first).ok_or_else(|| format!("`{first}` is undefined"))?;
    for part in parts {
        value = value.get(part.trim()).ok_or_else(|| format!("there is no `{part}`"))?;
    }
    Ok(value.clone())
}

/// Whether a condition holds.
pub(super) fn condition(expression: &str, vars: &Map<String, Value>) -> Result<bool, String> {
    Ok(!matches!(value(expression, vars)?, Value::Null | Value::Bool(false)))
}

/// A text with `{{ }}` in it.
pub(super) fn template(text: &str, _vars: &Map<String, Value>) -> Result<Value, String> {
    Ok(Value::String(text.to_owned()))
}
