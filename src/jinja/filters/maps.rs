//! Filters that choose values and that work on mappings (pure).

use minijinja::Value;

use super::super::budget::is_secret;
use super::super::evaluate::computes;
use super::super::values::{describe, entries, is_list, is_map, items};
use super::super::wrong::{Kind, Wrong, reason};
use super::Call;

/// `value | default(other, boolean=false)`.
pub(super) fn default(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let (value, other) = (call.input(), call.next("default_value"));
    let empty_too = call.flag("boolean");
    if reason(&value).is_some() || value.is_undefined() {
        return Ok(other.unwrap_or_else(|| Value::from("")));
    }
    if empty_too && is_secret(&value) {
        return Err(
            computes("`default` with `true`").hint("write `default(...)` without `true`: a secret is never empty")
        );
    }
    Ok(if empty_too && !value.is_true() { other.unwrap_or_else(|| Value::from("")) } else { value })
}

/// `value | mandatory`.
pub(super) fn mandatory(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let (value, message) = (call.input(), call.text("msg")?);
    match (reason(&value), message) {
        (Some(_), Some(message)) => Err(Wrong::new(Kind::Undefined, 0..0, message)),
        (Some(wrong), None) => Err(wrong.clone()),
        (None, _) => Ok(value),
    }
}

/// `condition | ternary(yes, no, none)`.
pub(super) fn ternary(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let value = call.input();
    let (yes, no, none) = (call.required("true_val")?, call.required("false_val")?, call.next("none_val"));
    if is_secret(&value) {
        return Err(computes("the condition of `ternary`"));
    }
    match none {
        Some(none) if value.is_none() && !none.is_none() => Ok(none),
        _ => Ok(if value.is_true() { yes } else { no }),
    }
}

fn pair(key: &str, key_value: Value, value: &str, value_value: Value) -> Value {
    Value::from_pairs([(key.to_owned(), key_value), (value.to_owned(), value_value)])
}

/// `map | dict2items(key_name, value_name)`.
pub(super) fn dict2items(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let map = call.input();
    let key_name = call.text("key_name")?.unwrap_or_else(|| "key".to_owned());
    let value_name = call.text("value_name")?.unwrap_or_else(|| "value".to_owned());
    if !is_map(&map) {
        return Err(call.failed(&format!("takes a mapping, not {}", describe(&map))));
    }
    let pairs = entries(&map).into_iter().map(|(key, value)| pair(&key_name, key, &value_name, value));
    Ok(Value::from(pairs.collect::<Vec<_>>()))
}

/// `list | items2dict(key_name, value_name)`.
pub(super) fn items2dict(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let list = call.input_list()?;
    let key_name = call.text("key_name")?.unwrap_or_else(|| "key".to_owned());
    let value_name = call.text("value_name")?.unwrap_or_else(|| "value".to_owned());
    let mut pairs = Vec::new();
    for item in list {
        let part = |name: &str| item.get_attr(name).ok().filter(|value| !value.is_undefined());
        match (part(&key_name), part(&value_name)) {
            (Some(key), _) if is_secret(&key) => return Err(computes("a key of a mapping")),
            (Some(key), Some(value)) => pairs.push((key, value)),
            _ => return Err(call.failed(&format!("takes items with `{key_name}` and `{value_name}`"))),
        }
    }
    Ok(Value::from_pairs(pairs))
}

/// `map | items`: pairs of key and value.
pub(super) fn items_of(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let map = call.input();
    if !is_map(&map) {
        return Err(call.failed(&format!("takes a mapping, not {}", describe(&map))));
    }
    Ok(Value::from(entries(&map).into_iter().map(|(key, value)| Value::from(vec![key, value])).collect::<Vec<_>>()))
}

/// `key | extract(container, morekeys)`.
pub(super) fn extract(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let (key, container) = (call.input(), call.required("container")?);
    let more = match call.next("morekeys") {
        Some(more) if is_list(&more) => items(&more),
        more => more.into_iter().collect(),
    };
    let mut found = container;
    for key in std::iter::once(key).chain(more) {
        if is_secret(&key) {
            return Err(computes("looking something up by it"));
        }
        found = found.get_item(&key).ok().filter(|value| !value.is_undefined()).ok_or_else(|| {
            Wrong::new(Kind::Undefined, 0..0, format!("`extract` finds no `{key}` in {}", describe(&found)))
        })?;
        if let Some(wrong) = reason(&found).filter(|wrong| wrong.kind != Kind::Undefined) {
            return Err(wrong.clone().at(0..0));
        }
    }
    Ok(found)
}

/// `map | combine(other, ..., recursive=false, list_merge='replace')`.
pub(super) fn combine(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let (mut recursive, mut list_merge) = (false, "replace".to_owned());
    for (name, value) in call.rest_named() {
        match (name.as_str(), value.as_str()) {
            ("recursive", _) => recursive = value.is_true(),
            ("list_merge", Some(how)) if LIST_MERGES.contains(&how) => how.clone_into(&mut list_merge),
            ("list_merge", _) => {
                return Err(call.failed(&format!("takes one of {} as `list_merge`", LIST_MERGES.join(", "))));
            }
            _ => return Err(call.failed(&format!("has no argument `{name}`"))),
        }
    }
    let mut result: Option<Value> = None;
    for value in std::iter::once(call.input()).chain(call.rest()) {
        for map in if is_list(&value) { items(&value) } else { vec![value] } {
            if !is_map(&map) {
                return Err(call.failed(&format!("takes mappings, not {}", describe(&map))));
            }
            result = Some(match result {
                Some(low) => merged(call, &low, &map, recursive, &list_merge, 0)?,
                None => map,
            });
        }
    }
    Ok(result.unwrap_or_else(|| Value::from_pairs(Vec::<(Value, Value)>::new())))
}

const LIST_MERGES: [&str; 6] = ["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"];

/// The values of `high` win; with `list_merge`, lists of both become one.
fn merged(
    call: &Call<'_, '_>,
    low: &Value,
    high: &Value,
    recursive: bool,
    list_merge: &str,
    depth: usize,
) -> Result<Value, Wrong> {
    call.budget().spend(1 + low.len().unwrap_or_default() + high.len().unwrap_or_default())?;
    if depth > 64 {
        return Err(call.failed("takes mappings that are not nested so deeply"));
    }
    let mut pairs: Vec<(Value, Value)> = entries(low);
    for (key, value) in entries(high) {
        let Some((_, old)) = pairs.iter_mut().find(|(known, _)| *known == key) else {
            pairs.push((key, value));
            continue;
        };
        if recursive && is_map(old) && is_map(&value) {
            *old = merged(call, old, &value, recursive, list_merge, depth + 1)?;
        } else if is_list(old) && is_list(&value) {
            *old = lists(call, items(old), items(&value), list_merge)?;
        } else {
            *old = value;
        }
    }
    Ok(Value::from_pairs(pairs))
}

fn lists(call: &Call<'_, '_>, low: Vec<Value>, high: Vec<Value>, list_merge: &str) -> Result<Value, Wrong> {
    let without = |from: Vec<Value>, other: &[Value]| -> Result<Vec<Value>, Wrong> {
        for item in from.iter().chain(other) {
            if call.budget().contents(item)?.secret {
                return Err(computes("a comparison"));
            }
        }
        call.budget().spend(from.len().saturating_mul(other.len()))?;
        Ok(from.into_iter().filter(|item| !other.contains(item)).collect())
    };
    Ok(Value::from(match list_merge {
        "keep" => low,
        "append" => [low, high].concat(),
        "prepend" => [high, low].concat(),
        "append_rp" => [without(low, &high)?, high].concat(),
        "prepend_rp" => {
            let kept = without(low, &high)?;
            [high, kept].concat()
        }
        _ => high,
    }))
}

/// `list | subelements('key')`: each item with each element of its list.
pub(super) fn subelements(call: &mut Call<'_, '_>) -> Result<Value, Wrong> {
    let input = call.input();
    let path = call.text("subelements")?.ok_or_else(|| call.failed("lacks the argument `subelements`"))?;
    let skips = call.flag("skip_missing");
    let all =
        if is_map(&input) { entries(&input).into_iter().map(|(_, value)| value).collect() } else { call.list(&input)? };
    let mut pairs = Vec::new();
    for item in all {
        let inner = path
            .split('.')
            .try_fold(item.clone(), |value, key| value.get_attr(key).ok().filter(|value| !value.is_undefined()));
        match inner {
            Some(inner) if is_list(&inner) => {
                for element in call.list(&inner)? {
                    pairs.push(Value::from(vec![item.clone(), element]));
                }
            }
            None if skips => {}
            _ => return Err(call.failed(&format!("finds no list `{path}` in an item"))),
        }
    }
    Ok(Value::from(pairs))
}
