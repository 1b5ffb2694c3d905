//! A map as a file that systemd reads by `EnvironmentFile`, for values that ClickHouse takes by `from_env` (pure).

use tera::{Error, Kwargs, Map, State, TeraResult, Value};

use super::{scalar, sorted};
use crate::render::escape::Escape;

/// `{{ clickhouse_environment | environment }}`: `NAME="value"`, one per line, sorted by name.
pub(super) fn environment(map: &Map, _: Kwargs, _: &State) -> TeraResult<Value> {
    let lines: Result<Vec<String>, Error> = sorted(map).into_iter().map(|(name, value)| line(&name, value)).collect();
    Ok(Value::safe_string(&lines?.join("\n")))
}

fn line(name: &str, value: &Value) -> TeraResult<String> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(first) || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Error::message(format!("`{name}` cannot be the name of an environment variable")));
    }
    if value.is_map() || value.is_array() || value.is_none() {
        return Err(Error::message(format!("the environment variable `{name}` must be a text or a number")));
    }
    Ok(format!("{name}=\"{}\"", Escape::FromEnv.around_markers(&scalar(value))))
}
