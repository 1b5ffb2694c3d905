//! The groups that an instance is in by `groups` and `keyed_groups`, by the rules of Ansible's `constructed` (pure).
//!
//! The rules: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/constructed_inventory.html>.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::source::{Constructed, KeyedGroup};
use super::Failure;
use super::expressions::{self, Refused};
use super::names::safe;
use crate::jinja::Values;

/// One group that a host is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The group.
    pub group: String,
    /// The group that it is in.
    pub parent: Option<String>,
}

/// Finds them in order; what fails is given to `fail` and gives no group.
pub(super) fn of(constructed: &Constructed, vars: &Values, fail: &mut dyn FnMut(Failure)) -> Vec<Membership> {
    let mut found = Vec::new();
    for (name, condition) in &constructed.groups {
        match expressions::condition(condition, vars) {
            Ok(true) => found.push(Membership { group: safe(name), parent: None }),
            Ok(false) => {}
            Err(refused) => fail(Failure::of(condition, format!("the group `{name}`"), refused)),
        }
    }
    for keyed in &constructed.keyed_groups {
        match keyed_groups(keyed, constructed, vars) {
            Ok(groups) => found.extend(groups),
            Err(refused) => fail(Failure::of(&keyed.key, "a keyed group".to_owned(), refused)),
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|membership| seen.insert(membership.clone()));
    found
}

fn keyed_groups(keyed: &KeyedGroup, constructed: &Constructed, vars: &Values) -> Result<Vec<Membership>, Refused> {
    let value = expressions::value(&keyed.key, vars)?;
    let names = match bare_names(keyed, &value) {
        Some(names) => names,
        // An empty list or mapping makes no group, and that is no failure.
        None if value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty) => {
            return Ok(Vec::new());
        }
        None if is_empty(&value) || value == Value::Bool(false) || value.as_i64() == Some(0) => {
            return Err(Refused::Fails("its value is empty".to_owned()));
        }
        None => {
            let why = format!("its value must be a text, a list or a mapping, not `{value}`");
            return Err(Refused::Invalid(why));
        }
    };
    let parent = match &keyed.parent_group {
        None => None,
        Some(parent) => Some(text_of(&expressions::template(parent, vars)?)).filter(|parent| !parent.is_empty()),
    };
    let parent = parent.map(|parent| safe(&parent));
    let separator =
        if keyed.prefix.is_empty() && !constructed.leading_separator { "" } else { keyed.separator.as_str() };
    let group = |bare: String| safe(&format!("{}{separator}{bare}", keyed.prefix));
    Ok(names.into_iter().map(|bare| Membership { group: group(bare), parent: parent.clone() }).collect())
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The names without the prefix; none where the value makes no group.
fn bare_names(keyed: &KeyedGroup, value: &Value) -> Option<Vec<String>> {
    let default = || keyed.default_value.clone();
    match value {
        value if is_empty(value) => default().map(|name| vec![name]),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) if !items.is_empty() => Some(
            items.iter().map(|item| default().filter(|_| is_empty(item)).unwrap_or_else(|| text_of(item))).collect(),
        ),
        Value::Object(entries) if !entries.is_empty() => Some(
            entries
                .iter()
                .map(|(key, value)| {
                    let separator = &keyed.separator;
                    match (is_empty(value), default()) {
                        (true, Some(default)) => format!("{key}{separator}{default}"),
                        (true, None) if !keyed.trailing_separator => key.clone(),
                        _ => format!("{key}{separator}{}", text_of(value)),
                    }
                })
                .collect(),
        ),
        _ => None,
    }
}

/// A value as Python writes it into a text.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::discovery::source::Expression;
    use crate::problem::{Source, Span};

    fn keyed(key: &str) -> KeyedGroup {
        let source = Arc::new(Source { name: "x".to_owned(), text: key.to_owned() });
        KeyedGroup {
            key: Expression {
                text: key.to_owned(),
                span: Span::new(source, 0..1),
                parsed: Arc::new(crate::jinja::Expression::new(key).unwrap()),
            },
            prefix: "p".to_owned(),
            separator: "_".to_owned(),
            parent_group: None,
            default_value: None,
            trailing_separator: true,
        }
    }

    fn names(keyed: &KeyedGroup, leading_separator: bool) -> Result<Vec<String>, Refused> {
        let vars = json!({
            "text": "a b", "empty": "", "nothing": null, "list": ["a", "", 3], "map": { "a": "1", "b": "" }, "no_items": [],
            "number": 5, "zero": 0, "flag": true,
        });
        let constructed = Constructed { leading_separator, ..Constructed::default() };
        let groups = keyed_groups(keyed, &constructed, &expressions::scope(vars.as_object().unwrap()))?;
        Ok(groups.into_iter().map(|membership| membership.group).collect())
    }

    #[test]
    fn values_become_groups_as_constructed_makes_them() {
        let plain = |key: &str| names(&keyed(key), true).map(|names| names.join(" "));
        assert_eq!(plain("text").unwrap(), "p_a_b");
        assert_eq!(plain("list").unwrap(), "p_a p_ p_3");
        assert_eq!(plain("map").unwrap(), "p_a_1 p_b_");
        assert_eq!(plain("no_items").unwrap(), "");
        for key in ["empty", "nothing", "zero", "missing"] {
            assert!(matches!(plain(key), Err(Refused::Fails(_))), "{key}");
        }
        for key in ["number", "flag"] {
            assert!(matches!(plain(key), Err(Refused::Invalid(_))), "{key}");
        }
    }

    #[test]
    fn defaults_and_separators_are_as_constructed_has_them() {
        let with_default = |key: &str| {
            let keyed = KeyedGroup { default_value: Some("no".to_owned()), ..keyed(key) };
            names(&keyed, true).map(|names| names.join(" "))
        };
        assert_eq!(with_default("empty").unwrap(), "p_no");
        assert_eq!(with_default("list").unwrap(), "p_a p_no p_3");
        assert_eq!(with_default("map").unwrap(), "p_a_1 p_b_no");
        let trailing = KeyedGroup { trailing_separator: false, ..keyed("map") };
        assert_eq!(names(&trailing, true).unwrap(), ["p_a_1", "p_b"]);
        let bare = KeyedGroup { prefix: String::new(), ..keyed("text") };
        assert_eq!(names(&bare, true).unwrap(), ["_a_b"]);
        assert_eq!(names(&bare, false).unwrap(), ["a_b"]);
    }
}
