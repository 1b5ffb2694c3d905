//! Expressions in variables: the values that Ansible gives them.

use housewright::jinja::{self, Template, Values, from_json, to_json};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "support/python.rs"]
mod python;

fn written() -> Value {
    serde_yaml::from_str(include_str!("written/expressions.yml")).unwrap()
}

/// Evaluates a text; variables that are texts with braces are evaluated first, in rounds.
fn evaluate(text: &str, vars: &Value) -> Value {
    let mut values: Vec<(String, jinja::Value)> = Vec::new();
    for (name, value) in vars.as_object().unwrap() {
        let value = match value.as_str().filter(|text| Template::is_in(text)) {
            Some(text) => Template::new(text).unwrap().value(&Values::from_iter(values.clone())).unwrap(),
            None => from_json(value),
        };
        values.push((name.clone(), value));
    }
    let scope = Values::from_iter(values);
    match Template::new(text).and_then(|template| template.value(&scope)) {
        Ok(value) => json!({ "value": to_json(&value) }),
        Err(wrong) => json!({ "error": wrong.message }),
    }
}

#[test]
fn values_are_ansibles() {
    let written = written();
    let texts = written["texts"].as_array().unwrap();
    let ours: Vec<Value> = texts.iter().map(|text| evaluate(text.as_str().unwrap(), &written["vars"])).collect();
    let theirs = python::Ansible::script("tests/ansible/template.py").ask(&written);
    let theirs = theirs.as_array().unwrap();
    assert!(texts.len() > 150 && theirs.len() == texts.len());
    let mut differ = Vec::new();
    for ((text, ours), theirs) in texts.iter().zip(&ours).zip(theirs) {
        if ours != theirs {
            differ.push(format!("{text}\n  ours:   {ours}\n  theirs: {theirs}"));
        }
    }
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), texts.len(), differ.join("\n"));
}

#[test]
fn the_documentation_lists_what_there_is() {
    let text = include_str!("../docs/inventory.md");
    let listed = |start: &str| {
        let paragraph = text.split_once(start).unwrap().1.split("\n\n").next().unwrap();
        paragraph.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let (filters, tests) = jinja::vocabulary();
    assert_eq!(listed("\nFilters: "), filters);
    assert_eq!(listed("\nTests: "), tests);
}

/// What an expression may do with the one before it.
const STEPS: [&str; 52] = [
    "@ | upper",
    "@ ~ 'x'",
    "'x' ~ @",
    "@ == 's'",
    "@ != 'x'",
    "@ < 't'",
    "@ | default('d')",
    "@ | default('d', true)",
    "[@, 'y'] | join('-')",
    "@ | length",
    "(@) if port == 9000 else 'z'",
    "'z' if port == 9000 else (@)",
    "'y' if (@) else 'n'",
    "@ | b64encode",
    "[@] | first",
    "{'a': @}.a",
    "(@)[0]",
    "(@)[1:]",
    "@ in ['s', 'x']",
    "'s' in (@)",
    "@ | replace('s', 't')",
    "@ | list",
    "@ | to_json",
    "@ | string",
    "@ is string",
    "@ is defined",
    "@ is none",
    "@ | ternary('a', 'b')",
    "true | ternary(@, 'b')",
    "@ + 'x'",
    "(@) * 2",
    "[@] | map('upper') | list",
    "[@, 'x'] | unique",
    "{'a': @} | combine({'b': 1})",
    "{'a': @} | dict2items",
    "[@, 'x'] | sort",
    "[@] | zip([1]) | list",
    "@ | quote",
    "@ | regex_replace('s', 't')",
    "not (@)",
    "(@) and 'x'",
    "(@) or 'x'",
    "[@] | select('defined') | list",
    "@ | int",
    "@ is match('s')",
    "'%s' % (@)",
    "@ | mandatory",
    "{'s': 1}[@] | default(0)",
    "@ | type_debug",
    "(@).upper()",
    "[@, 'x'] | difference(['s'])",
    "'s' | extract({'s': @})",
];

proptest! {
    /// Whatever an expression gives for a secret's marker, it gives for every secret: nothing was computed on it.
    #[test]
    fn a_secret_is_never_computed_on(
        start in proptest::sample::select(&["password", "'a' ~ password", "[password, 'x']", "{'k': password}", "map.password"][..]),
        steps in proptest::collection::vec(proptest::sample::select(&STEPS[..]), 0..4),
    ) {
        let expression = steps.iter().fold(start.to_owned(), |inner, step| step.replace('@', &format!("({inner})")));
        let text = format!("{{{{ {expression} }}}}");
        let marker = housewright::secret::SecretRef::Env("P".to_owned()).marker();
        let given = |password: &str| json!({ "password": password, "port": 9000, "map": { "password": password } });
        let answer = evaluate(&text, &given(&marker));
        if answer.get("error").is_none() {
            for plain in ["s", "", "x", "s3'\"<& \\", "9000", "true"] {
                let expected: Value = replaced(&answer, &marker, plain);
                prop_assert_eq!(evaluate(&text, &given(plain)), expected, "{} with {:?}", text, plain);
            }
        }
    }
}

fn replaced(value: &Value, marker: &str, plain: &str) -> Value {
    match value {
        Value::String(text) => json!(text.replace(marker, plain)),
        Value::Array(items) => items.iter().map(|item| replaced(item, marker, plain)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), replaced(item, marker, plain))).collect(),
        other => other.clone(),
    }
}
