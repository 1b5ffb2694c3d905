//! Maps put together and taken apart (pure).

use std::collections::BTreeSet;

use tera::{Error, Kwargs, Map, State, TeraResult, Value};

/// `{{ settings | over(base=defaults) }}`: the base with the settings on it, key by key at every depth; what is null in the
/// settings is taken out of the base.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
pub(super) fn over(map: &Map, arguments: Kwargs, _: &State) -> TeraResult<Map> {
    let base = arguments.must_get::<Value>("base")?;
    let base = base.as_map().ok_or_else(|| Error::message("`base` must be a map"))?;
    Ok(laid(map, base))
}

fn laid(map: &Map, base: &Map) -> Map {
    let mut out = base.clone();
    for (key, value) in map {
        match (value.as_map(), base.get(key)) {
            (_, Some(_)) if value.is_none() => {
                out.remove(key);
            }
            (Some(map), Some(below)) if below.is_map() => {
                let below = below.as_map().cloned().unwrap_or_default();
                out.insert(key.clone(), Value::from(laid(map, &below)));
            }
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    out
}

/// `{{ volume | without(keys=["name"]) }}`: the map without these keys.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
pub(super) fn without(map: &Map, arguments: Kwargs, _: &State) -> TeraResult<Map> {
    let keys = arguments.must_get::<Value>("keys")?;
    let keys: BTreeSet<String> = keys.as_array().unwrap_or_default().iter().map(ToString::to_string).collect();
    Ok(map
        .iter()
        .filter(|(key, _)| !keys.contains(&key.to_string()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect())
}
