//! A password's digest in the place of the password (pure).

use tera::{Error, Kwargs, State, TeraResult, Value};

use crate::secret::{digest_marker, sha256_hex as hex};

/// `{{ user.password | sha256_hex }}`: what ClickHouse takes as `password_sha256_hex`.
///
/// A secret's digest is made when its value is put in: the value itself never reaches the file.
pub(super) fn sha256_hex(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    let text = value.to_string();
    if value.is_map() || value.is_array() || value.is_none() || text.is_empty() {
        return Err(Error::message("`sha256_hex` takes a text that is not empty"));
    }
    match digest_marker(&text) {
        Some(marker) => Ok(Value::safe_string(&marker)),
        None if text.contains([crate::secret::MARKER_START, crate::secret::MARKER_END]) => {
            Err(Error::message("`sha256_hex` takes one whole secret, and nothing beside it"))
        }
        None => Ok(Value::from(hex(text.as_bytes()))),
    }
}
