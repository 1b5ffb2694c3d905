//! Filters on lists (pure).

use std::cmp::Ordering;

use minijinja::Value;

use super::super::budget::is_secret;
use super::super::evaluate::computes;
use super::super::operators;
use super::super::syntax::Operator;
use super::super::values::{describe, is_list};
use super::super::wrong::{Kind, Wrong, missing, reason};
use super::Call;

type Answer = Result<Value, Wrong>;

pub(super) fn length(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    let count = match value.as_str() {
        Some(text) => Some(text.chars().count()),
        None => value.len(),
    };
    count
        .map(Value::from)
        .ok_or_else(|| call.failed(&format!("takes a text, a list or a mapping, not {}", describe(&value))))
}

/// The items, or the characters of a text.
fn all_of(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Wrong> {
    match call.input().as_str() {
        Some(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        None => call.input_list(),
    }
}

fn end(call: &mut Call<'_, '_>, last: bool) -> Answer {
    let mut all = all_of(call)?.into_iter();
    let found = if last { all.next_back() } else { all.next() };
    Ok(found.unwrap_or_else(|| missing(Wrong::new(Kind::Undefined, 0..0, "the list is empty"))))
}

pub(super) fn first(call: &mut Call<'_, '_>) -> Answer {
    end(call, false)
}

pub(super) fn last(call: &mut Call<'_, '_>) -> Answer {
    end(call, true)
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    all_of(call).map(Value::from)
}

pub(super) fn reverse(call: &mut Call<'_, '_>) -> Answer {
    if let Some(text) = call.input().as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    call.input_list().map(|all| Value::from(all.into_iter().rev().collect::<Vec<_>>()))
}

/// An item's attribute by a path such as `a.b` or `0`.
fn attribute(item: &Value, path: &Value) -> Value {
    let none = || missing(Wrong::new(Kind::Undefined, 0..0, format!("an item has no `{path}`")));
    if path.is_integer() {
        return item.get_item(path).ok().filter(|value| !value.is_undefined()).unwrap_or_else(none);
    }
    let mut value = item.clone();
    for key in path.to_string().split('.') {
        let by_number =
            key.parse::<usize>().ok().filter(|_| is_list(&value)).and_then(|at| value.get_item_by_index(at).ok());
        value = match by_number.or_else(|| value.get_attr(key).ok()).filter(|value| !value.is_undefined()) {
            Some(found) => found,
            None => return none(),
        };
    }
    value
}

/// `list | map('filter', ...)` or `list | map(attribute='a', default=x)`.
pub(super) fn map(call: &mut Call<'_, '_>) -> Answer {
    let all = call.input_list()?;
    let mut named = call.rest_named();
    let mut take = |name: &str| {
        let at = named.iter().position(|(known, _)| known == name)?;
        Some(named.remove(at).1)
    };
    if let Some(path) = take("attribute") {
        let default = take("default");
        let value = |item: &Value| {
            let found = attribute(item, &path);
            if reason(&found).is_some() { default.clone().unwrap_or(found) } else { found }
        };
        return Ok(Value::from(all.iter().map(value).collect::<Vec<_>>()));
    }
    let mut args = call.rest();
    if args.is_empty() {
        return Err(call.failed("takes the name of a filter, or `attribute=`"));
    }
    let name = short(&args.remove(0));
    let mut made = Vec::new();
    for item in all {
        let values = std::iter::once(item).chain(args.iter().cloned()).collect();
        made.push(call.filter(&name, values, named.clone())?);
    }
    Ok(Value::from(made))
}

fn short(name: &Value) -> String {
    let name = name.to_string();
    name.strip_prefix("ansible.builtin.").map_or_else(|| name.clone(), str::to_owned)
}

/// The items that pass a test, or do not.
fn chosen(call: &mut Call<'_, '_>, by_attribute: bool, wanted: bool) -> Answer {
    let all = call.input_list()?;
    let path = if by_attribute { Some(call.required("attribute")?) } else { None };
    let mut args = call.rest();
    let name = if args.is_empty() { None } else { Some(short(&args.remove(0))) };
    let mut kept = Vec::new();
    for item in all {
        let value = path.as_ref().map_or_else(|| item.clone(), |path| attribute(&item, path));
        let holds = match &name {
            Some(name) => call.test(name, std::iter::once(value).chain(args.iter().cloned()).collect())?,
            None if is_secret(&value) => return Err(computes("a condition")),
            None => reason(&value).is_none() && value.is_true(),
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

pub(super) fn select(call: &mut Call<'_, '_>) -> Answer {
    chosen(call, false, true)
}

pub(super) fn reject(call: &mut Call<'_, '_>) -> Answer {
    chosen(call, false, false)
}

pub(super) fn selectattr(call: &mut Call<'_, '_>) -> Answer {
    chosen(call, true, true)
}

pub(super) fn rejectattr(call: &mut Call<'_, '_>) -> Answer {
    chosen(call, true, false)
}

/// `list | join(separator, attribute)`.
pub(super) fn join(call: &mut Call<'_, '_>) -> Answer {
    let all = all_of(call)?;
    let separator = match call.next("d") {
        Some(value) => call.run.text(&value)?,
        None => String::new(),
    };
    let path = call.next("attribute");
    let mut text = String::new();
    for (index, item) in all.iter().enumerate() {
        let item = path.as_ref().map_or_else(|| item.clone(), |path| attribute(item, path));
        if let Some(wrong) = reason(&item) {
            return Err(wrong.clone());
        }
        let item = call.run.text(&item)?;
        if text.len() + item.len() + separator.len() > super::super::budget::MAX_TEXT {
            call.budget().make(usize::MAX)?;
        }
        if index > 0 {
            text.push_str(&separator);
        }
        text.push_str(&item);
    }
    Ok(Value::from(text))
}

/// `list | flatten(levels, skip_nulls=true)`.
pub(super) fn flatten(call: &mut Call<'_, '_>) -> Answer {
    let all = call.input_list()?;
    let levels = match call.next("levels") {
        Some(levels) if !levels.is_none() => usize::try_from(levels.as_i64().unwrap_or(0).max(0)).unwrap_or_default(),
        _ => 64,
    };
    let skips = call.next("skip_nulls").is_none_or(|flag| flag.is_true());
    let mut flat = Vec::new();
    flatten_into(call, all, levels, skips, &mut flat)?;
    Ok(Value::from(flat))
}

fn flatten_into(
    call: &mut Call<'_, '_>,
    all: Vec<Value>,
    levels: usize,
    skips: bool,
    flat: &mut Vec<Value>,
) -> Result<(), Wrong> {
    for item in all {
        call.budget().spend(1)?;
        let is_null = item.is_none() || matches!(item.as_str(), Some("None" | "null"));
        if skips && is_null {
            continue;
        }
        if is_list(&item) && levels > 0 {
            let inner = call.list(&item)?;
            flatten_into(call, inner, levels - 1, skips, flat)?;
        } else {
            flat.push(item);
        }
    }
    Ok(())
}

/// Whether a list holds an equal item; each look is a step.
fn holds(call: &Call<'_, '_>, list: &[Value], item: &Value) -> Result<bool, Wrong> {
    call.budget().spend(list.len() / 16 + 1)?;
    Ok(list.iter().any(|other| operators::equal(other, item)))
}

fn deduplicated(call: &Call<'_, '_>, all: impl IntoIterator<Item = Value>) -> Result<Vec<Value>, Wrong> {
    let mut kept: Vec<Value> = Vec::new();
    for item in all {
        if !holds(call, &kept, &item)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

/// `list | unique(attribute=)`: the first of each, in order.
pub(super) fn unique(call: &mut Call<'_, '_>) -> Answer {
    let all = call.input_list()?;
    let folds = call.next("case_sensitive").is_some_and(|flag| !flag.is_none() && !flag.is_true());
    let path = call.next("attribute").filter(|path| !path.is_none());
    let (mut seen, mut kept): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for item in all {
        let value = path.as_ref().map_or_else(|| item.clone(), |path| attribute(&item, path));
        if let Some(wrong) = reason(&value) {
            return Err(wrong.clone());
        }
        let value = value.as_str().filter(|_| folds).map(|text| Value::from(text.to_lowercase())).unwrap_or(value);
        if !holds(call, &seen, &value)? {
            seen.push(value);
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

fn two(call: &mut Call<'_, '_>) -> Result<(Vec<Value>, Vec<Value>), Wrong> {
    let (left, other) = (call.input_list()?, call.required("b")?);
    let right = call.list(&other)?;
    Ok((left, right))
}

pub(super) fn union(call: &mut Call<'_, '_>) -> Answer {
    let (left, right) = two(call)?;
    deduplicated(call, left.into_iter().chain(right)).map(Value::from)
}

/// The items of one list that are in the other, or not, each once.
fn those(call: &Call<'_, '_>, from: Vec<Value>, other: &[Value], wanted: bool) -> Result<Vec<Value>, Wrong> {
    let mut kept = Vec::new();
    for item in from {
        if holds(call, other, &item)? == wanted {
            kept.push(item);
        }
    }
    deduplicated(call, kept)
}

pub(super) fn intersect(call: &mut Call<'_, '_>) -> Answer {
    let (left, right) = two(call)?;
    those(call, left, &right, true).map(Value::from)
}

pub(super) fn difference(call: &mut Call<'_, '_>) -> Answer {
    let (left, right) = two(call)?;
    those(call, left, &right, false).map(Value::from)
}

pub(super) fn symmetric_difference(call: &mut Call<'_, '_>) -> Answer {
    let (left, right) = two(call)?;
    let (before, after) = (those(call, left.clone(), &right, false)?, those(call, right, &left, false)?);
    Ok(Value::from([before, after].concat()))
}

/// Items side by side, up to the shortest list.
pub(super) fn zip(call: &mut Call<'_, '_>) -> Answer {
    zipped(call, None)
}

/// Items side by side, up to the longest list.
pub(super) fn zip_longest(call: &mut Call<'_, '_>) -> Answer {
    let mut fill = Value::from(());
    for (name, value) in call.rest_named() {
        if name != "fillvalue" {
            return Err(call.failed(&format!("has no argument `{name}`")));
        }
        fill = value;
    }
    zipped(call, Some(&fill))
}

fn zipped(call: &mut Call<'_, '_>, fill: Option<&Value>) -> Answer {
    let mut lists = vec![call.input_list()?];
    for other in call.rest() {
        lists.push(call.list(&other)?);
    }
    let lengths = lists.iter().map(Vec::len);
    let count = if fill.is_some() { lengths.max() } else { lengths.min() }.unwrap_or_default();
    call.budget().spend(count.saturating_mul(lists.len()))?;
    let fill = fill.cloned().unwrap_or_default();
    let row =
        |at: usize| lists.iter().map(|list| list.get(at).cloned().unwrap_or_else(|| fill.clone())).collect::<Vec<_>>();
    Ok(Value::from((0..count).map(|at| Value::from(row(at))).collect::<Vec<_>>()))
}

/// Every item of one list with every item of the others.
pub(super) fn product(call: &mut Call<'_, '_>) -> Answer {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in std::iter::once(call.input()).chain(call.rest()) {
        let list = call.list(&list)?;
        call.budget().spend(rows.len().saturating_mul(list.len()).saturating_mul(4))?;
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat()))
            .collect();
    }
    Ok(Value::from(rows.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// Sorts by a key; Jinja folds case unless told otherwise.
fn sorted(
    call: &Call<'_, '_>,
    all: Vec<Value>,
    path: Option<&Value>,
    folds: bool,
) -> Result<Vec<(Value, Value)>, Wrong> {
    let mut keyed = Vec::new();
    for item in all {
        let keys = path.map_or_else(
            || vec![item.clone()],
            |path| path.to_string().split(',').map(|path| attribute(&item, &Value::from(path.trim()))).collect(),
        );
        if let Some(wrong) = keys.iter().find_map(reason) {
            return Err(wrong.clone());
        }
        let fold =
            |key: Value| key.as_str().filter(|_| folds).map(|text| Value::from(text.to_lowercase())).unwrap_or(key);
        let key = if keys.len() == 1 {
            keys.into_iter().next().map(fold).unwrap_or_default()
        } else {
            Value::from(keys.into_iter().map(fold).collect::<Vec<_>>())
        };
        keyed.push((key, item));
    }
    call.budget().spend(keyed.len().saturating_mul(8))?;
    let mut wrong = None;
    keyed.sort_by(|(left, _), (right, _)| {
        operators::order(left, right).unwrap_or_else(|why| {
            wrong = Some(why);
            Ordering::Equal
        })
    });
    wrong.map_or(Ok(keyed), Err)
}

/// `list | sort(reverse, case_sensitive, attribute)`.
pub(super) fn sort(call: &mut Call<'_, '_>) -> Answer {
    let all = all_of(call)?;
    let (reverse, exact, path) = (call.flag("reverse"), call.flag("case_sensitive"), call.next("attribute"));
    let sorted = sorted(call, all, path.as_ref(), !exact)?;
    let mut sorted: Vec<Value> = sorted.into_iter().map(|(_, item)| item).collect();
    if reverse {
        sorted.reverse();
    }
    Ok(Value::from(sorted))
}

/// `list | groupby('attribute')`: pairs of value and items.
pub(super) fn groupby(call: &mut Call<'_, '_>) -> Answer {
    let (all, path) = (call.input_list()?, call.required("attribute")?);
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in sorted(call, all, Some(&path), false)? {
        match groups.last_mut() {
            Some((last, members)) if operators::equal(last, &key) => members.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let pair = |(key, members): (Value, Vec<Value>)| Value::from(vec![key, Value::from(members)]);
    Ok(Value::from(groups.into_iter().map(pair).collect::<Vec<_>>()))
}

fn extreme(call: &mut Call<'_, '_>, wanted: Ordering) -> Answer {
    let all = call.input_list()?;
    let path = call.rest_named().into_iter().find(|(name, _)| name == "attribute").map(|(_, path)| path);
    let sorted = sorted(call, all, path.as_ref(), true)?;
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in sorted {
        let better = match &best {
            Some((held, _)) => operators::order(&key, held)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| missing(Wrong::new(Kind::Undefined, 0..0, "the list is empty")), |(_, item)| item))
}

pub(super) fn min(call: &mut Call<'_, '_>) -> Answer {
    extreme(call, Ordering::Less)
}

pub(super) fn max(call: &mut Call<'_, '_>) -> Answer {
    extreme(call, Ordering::Greater)
}

/// `list | sum(attribute, start)`.
pub(super) fn sum(call: &mut Call<'_, '_>) -> Answer {
    let all = call.input_list()?;
    let (path, start) = (call.next("attribute"), call.next("start"));
    let mut total = start.unwrap_or_else(|| Value::from(0));
    for item in all {
        let value =
            path.as_ref().filter(|path| !path.is_none()).map_or_else(|| item.clone(), |path| attribute(&item, path));
        if let Some(wrong) = reason(&value) {
            return Err(wrong.clone());
        }
        total = operators::binary(Operator::Add, &total, &value, call.budget())?;
    }
    Ok(total)
}
