//! The few filters that templates need beside Tera's own (pure).

mod digest;
mod environment;
mod settings;
mod xml;
mod yaml;

use std::collections::BTreeMap;

use tera::{Kwargs, Map, State, Tera, TeraResult, Value};

/// Adds the filters.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("pad", pad);
    tera.register_filter("pairs", pairs);
    tera.register_filter("keys", keys);
    tera.register_filter("values", values);
    tera.register_filter("over", settings::over);
    tera.register_filter("without", settings::without);
    tera.register_filter("elements", xml::elements);
    tera.register_filter("yaml", yaml::yaml);
    tera.register_filter("environment", environment::environment);
    tera.register_filter("sha256_hex", digest::sha256_hex);
}

/// `{{ host.shard | pad(width=2) }}`: zeros in front.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
fn pad(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let width = arguments.must_get::<usize>("width")?;
    Ok(format!("{:0>width$}", value.to_string()))
}

/// `{% for pair in map | pairs %}`: `[key, value]`, sorted by key.
fn pairs(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_iter().map(|(key, value)| Value::from(vec![Value::from(key), value.clone()])).collect()
}

/// A map's keys, sorted.
fn keys(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_keys().map(Value::from).collect()
}

/// A map's values, sorted by key.
fn values(map: &Map, _: Kwargs, _: &State) -> Vec<Value> {
    sorted(map).into_values().cloned().collect()
}

/// Tera keeps maps without an order.
fn sorted(map: &Map) -> BTreeMap<String, &Value> {
    map.iter().map(|(key, value)| (key.to_string(), value)).collect()
}

/// A value as ClickHouse reads it: `true` is 1 and `false` is 0.
fn scalar(value: &Value) -> String {
    match value.as_bool() {
        Some(truth) => u8::from(truth).to_string(),
        None => value.to_string(),
    }
}
