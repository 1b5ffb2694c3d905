//! Expressions in variables: the values that Ansible gives them.

use housewright::jinja::{self, Template, Values, from_json, to_json};
use serde_json::{Value, json};

#[allow(dead_code, reason = "each test crate uses its own part")]
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
