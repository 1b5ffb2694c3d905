//! Writes values as YAML that Ansible and Housewright read alike (pure).
//!
//! What could be taken for another type is quoted; what could be taken for a template carries `!unsafe`, since tags are
//! written by whoever may write tags.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Plain scalars that YAML 1.1 or 1.2 takes for something else.
const WORDS: [&str; 15] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "infinity", "nil", "undefined"];

/// Writes the entries of a mapping, each on lines of its own, behind `indent` spaces.
#[must_use]
pub fn mapping(entries: &Map<String, Value>, indent: usize) -> String {
    let mut out = String::new();
    write_entries(&mut out, entries, indent);
    out
}

/// Writes a key or a value that is one word, quoted where it must be.
#[must_use]
pub fn scalar(text: &str) -> String {
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if first && text.chars().all(plain) && !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    quoted(text)
}

fn write_entries(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    for (key, value) in entries {
        let _ = write!(out, "{:indent$}{}:", "", scalar(key));
        write_value(out, value, indent);
    }
}

/// Writes what stands behind `key:` or `-`, to the end of its last line.
fn write_value(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            out.push('\n');
            write_entries(out, entries, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                let _ = write!(out, "{:1$}-", "", indent + 2);
                write_item(out, item, indent + 2);
            }
        }
        Value::Object(_) => out.push_str(" {}\n"),
        Value::Array(_) => out.push_str(" []\n"),
        Value::Null => out.push_str(" null\n"),
        Value::Bool(flag) => drop(writeln!(out, " {flag}")),
        Value::Number(number) => drop(writeln!(out, " {}", number_text(number))),
        Value::String(text) => {
            let tag = if ["{{", "{%", "{#"].iter().any(|open| text.contains(open)) { "!unsafe " } else { "" };
            let text = if tag.is_empty() { scalar(text) } else { quoted(text) };
            let _ = writeln!(out, " {tag}{text}");
        }
    }
}

/// A mapping in a list begins on the line of its dash.
fn write_item(out: &mut String, item: &Value, indent: usize) {
    match item {
        Value::Object(entries) if !entries.is_empty() => {
            let mut text = String::new();
            write_entries(&mut text, entries, indent + 2);
            out.push_str(text.get(indent + 1..).unwrap_or_default());
        }
        other => write_value(out, other, indent),
    }
}

/// YAML 1.1 wants a dot and a sign in a number with an exponent.
fn number_text(number: &serde_json::Number) -> String {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => {
            let dot = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
            format!("{digits}{dot}e{sign}{exponent}")
        }
        None => text,
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Not among YAML's printable characters, or taken for the end of a line.
            c if c.is_control() || "\u{85}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::inventory::yaml;
    use crate::problem::Source;

    fn read_back(text: String) -> Value {
        let mut problems = Vec::new();
        let source = Arc::new(Source { name: "x.yml".to_owned(), text });
        let node = yaml::read(&source, &mut problems).unwrap_or_else(|| panic!("{problems:?}\n{}", source.text));
        assert!(problems.is_empty(), "{problems:?}\n{}", source.text);
        if node.is_null() { json!({}) } else { node.to_json() }
    }

    #[test]
    fn values_keep_their_types() {
        let value = json!({
            "plain": "eu-west-1a", "number": 7, "text_number": "07", "yes": "yes", "date": "2026-11-22", "empty": "",
            "list": [{ "a": 1, "b": ["x", { "c": null }] }, [], {}, [1, 2]], "flag": true,
            "template": "{{ lookup('pipe', 'id') }}", "dots": "10.0.0.1", "sexagesimal": "1:20", "odd: key #": "a\u{7f}\n",
        });
        let text = mapping(value.as_object().unwrap(), 0);
        assert_snapshot!(text, @r#"
        plain: eu-west-1a
        number: 7
        text_number: "07"
        "yes": "yes"
        date: "2026-11-22"
        empty: ""
        list:
          - a: 1
            b:
              - x
              - c: null
          - []
          - {}
          -
            - 1
            - 2
        flag: true
        template: !unsafe "{{ lookup('pipe', 'id') }}"
        dots: "10.0.0.1"
        sexagesimal: "1:20"
        "odd: key #": "a\u007f\n"
        "#);
        assert_eq!(read_back(text), value);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| json!(number)),
            "(?s).{0,12}".prop_map(Value::String),
            "[a-z0-9.:{}%#_-]{0,8}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-zA-Z0-9: #'_-]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_read_back(map in prop::collection::btree_map("[a-zA-Z0-9: #'_-]{1,8}", any_value(), 0..6)) {
            let map: Map<String, Value> = map.into_iter().collect();
            prop_assert_eq!(read_back(mapping(&map, 0)), Value::Object(map));
        }
    }
}
