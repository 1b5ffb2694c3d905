//! Values are Ansible's: texts of every kind are read as its own readers read them, on generated inputs.

#[path = "support/python.rs"]
mod python;

use std::io::Write;
use std::process::Command;
use std::sync::Arc;

use housewright::inventory::data::Data;
use housewright::inventory::{Documents, Inventory, NodeValue, Written, ini, yaml};
use housewright::problem::{Problem, Severity, Source};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// What is read as a value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// `k=...` below `[g:vars]`.
    Variable,
    /// A host's line.
    Host,
    /// `k: ...` in YAML.
    Yaml,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Host => "host",
            Self::Yaml => "yaml",
        }
    }

    /// The JSON that we read, or the problems.
    fn ours(self, text: &str) -> Result<String, Vec<Problem>> {
        let mut problems = Vec::new();
        let value = match self {
            Self::Variable => {
                let document = ini::read(&source("[g:vars]\n", text), &mut problems).unwrap();
                document.sections.iter().find_map(|section| match &section.body {
                    ini::Body::Vars(vars) => vars.first().map(|entry| Data::Node(&entry.value).source()),
                    _ => None,
                })
            }
            Self::Host => {
                let document = ini::read(&source("", text), &mut problems).unwrap();
                let documents = Documents { inventories: vec![Written::Ini(document)], ..Documents::default() };
                let inventory = Inventory::assemble(&documents, &mut problems);
                inventory.hosts.values().next().map(|host| {
                    let variables = host.vars().into_iter().map(|(name, entry)| (name, Data::Node(&entry.value)));
                    let names = inventory.hosts.keys().map(|name| Data::Text(name.to_string())).collect();
                    let variables = Data::from(variables.collect::<std::collections::BTreeMap<_, _>>());
                    let both = [("names", Data::List(names)), ("variables", variables)];
                    Data::from(std::collections::BTreeMap::from(both)).source()
                })
            }
            Self::Yaml => {
                let node = yaml::read(&source("", text), &mut problems);
                node.and_then(|node| node.get("k").map(|value| Data::Node(value).source()))
            }
        };
        problems.retain(|problem| problem.severity == Severity::Problem);
        value.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

fn source(before: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { name: "text".to_owned(), text: format!("{before}{text}") })
}

fn ansible(cases: &[(Kind, String)]) -> Vec<Value> {
    let mut requests = tempfile::NamedTempFile::new().unwrap();
    for (kind, text) in cases {
        writeln!(requests, "{}", json!({ "kind": kind.name(), "text": text })).unwrap();
    }
    let mut command = Command::new(python::interpreter());
    command.arg("tests/ansible/values.py").arg(requests.path()).env("PYTHONUTF8", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Names that Ansible takes and a fleet does not, keys that stand twice, and empty ones: refused here, by design.
fn refused_by_design(problems: &[Problem]) -> bool {
    let by_design = |problem: &Problem| {
        matches!(problem.code, "HW0105" | "HW0111" | "HW0112") || problem.message == "a variable without a name"
    };
    !problems.is_empty() && problems.iter().all(by_design)
}

fn compare(cases: &[(Kind, String)]) {
    let mut wrong = Vec::new();
    let (mut same, mut errors) = (0, 0);
    for ((kind, text), answer) in cases.iter().zip(ansible(cases)) {
        match (answer["value"].as_str(), kind.ours(text)) {
            (Some(theirs), Ok(ours)) if theirs == ours => same += 1,
            (None, Err(_)) => errors += 1,
            (Some(_), Err(problems)) if refused_by_design(&problems) => {}
            _ if answer["skip"] == true => {}
            (_, ours) => wrong.push(format!("{} {text:?}\n  theirs {answer}\n  ours   {ours:?}", kind.name())),
        }
    }
    let some = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} texts differ\n{some}", wrong.len(), cases.len());
    assert!(same > cases.len() / 4 && errors > 0, "{same} values and {errors} errors of {}", cases.len());
}

/// `HOUSEWRIGHT_CASES` says how many of a kind.
fn generate(kind: Kind, texts: &impl Strategy<Value = String>) -> Vec<(Kind, String)> {
    let count = std::env::var("HOUSEWRIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500);
    let mut runner = TestRunner::default();
    (0..count).map(|_| (kind, texts.new_tree(&mut runner).unwrap().current())).collect()
}

fn soup(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(select(words), 1..most).prop_map(|words| words.concat())
}

const LITERAL: &[&str] = &[
    "0",
    "1",
    "08",
    "00",
    "1_0",
    "0x1F",
    "0o7",
    "0b1",
    "1.5",
    ".5",
    "1.",
    "1e3",
    "1E-5",
    "1e999",
    "5j",
    "1e16",
    "0.1",
    "18446744073709551616",
    "9223372036854775809",
    "-",
    "+",
    " ",
    " ",
    "\t",
    ",",
    ", ",
    ":",
    ": ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "'a'",
    "\"b\"",
    "'''c'''",
    "r'\\n'",
    "b'x'",
    "u'x'",
    "f'x'",
    "Rb'y'",
    "\\",
    "'\\x41\\u00e9'",
    "'\\101\\q\\\\'",
    "True",
    "False",
    "None",
    "true",
    "null",
    "name",
    "set()",
    "...",
    "#",
    " # c",
    "=",
    ";",
    "é",
    "🚀",
    "{'k': 1}",
    "[1, 2]",
    "(1, 'a')",
    "(1,)",
    "{1: 2, None: 3}",
    "1+2j",
    "-1-0j",
    "[",
    "]",
    "{{ x }}",
    "{{'a'}}",
    "{[1]: 2}",
    "|",
    "\u{a0}",
];
const NAME: &[&str] = &[
    "h",
    "data",
    "1",
    "[1:3]",
    "[01:03]",
    "[a:c]",
    "[a:e:2]",
    "[0:4:2]",
    ".x",
    "-",
    "_",
    ":22",
    ":0",
    ":",
    "[::1]",
    "fe80::1",
    "10.0.0.1",
    "[x]",
    "[1:2:3:4]",
    "\"q\"",
    "é",
];
const SCALAR: &[&str] = &[
    "0",
    "1",
    "7",
    "8",
    "12",
    "59",
    "60",
    "00",
    "_",
    ".",
    "e",
    "E",
    "+",
    "-",
    ":",
    "x",
    "b",
    "o",
    "f",
    "0x1F",
    "0b11",
    "0644",
    "1:30",
    "190:20:30",
    "1e3",
    "1.5",
    "e+3",
    ".inf",
    ".NaN",
    "2026-01-02",
    "2026-1-2",
    "2024-02-29",
    "T",
    "t",
    " ",
    "03:04:05",
    "3:4:5",
    ".123456789",
    "Z",
    "+01",
    "-05:30",
    "yes",
    "No",
    "TRUE",
    "oN",
    "off",
    "~",
    "null",
    "NULL",
    "=",
    "'5'",
    "\"x\"",
    "!!int ",
    "!!float ",
    "!!str ",
    "!!bool ",
    "!!null ",
    "!!timestamp ",
    "!unsafe ",
    "! ",
    "[1, 2]",
    "{a: 1, 0644: b}",
    "!!set {x}",
    "!!omap [a: 1]",
    "é",
    "99999999999999999999",
];

#[test]
fn variables_in_ini_are_pythons_literals() {
    compare(&generate(Kind::Variable, &soup(LITERAL, 7).prop_map(|value| format!("k = {value}"))));
}

#[test]
fn host_lines_in_ini_are_shells_words() {
    let assignment = soup(LITERAL, 5).prop_map(|value| format!(" k={value}"));
    let line = (soup(NAME, 4), proptest::collection::vec(assignment, 0..3));
    compare(&generate(Kind::Host, &line.prop_map(|(name, rest)| format!("h{name}{}", rest.concat()))));
}

#[test]
fn scalars_in_yaml_are_pyyamls() {
    compare(&generate(Kind::Yaml, &soup(SCALAR, 5).prop_map(|value| format!("k: {value}\n"))));
}

#[test]
fn unsafe_texts_are_told_apart() {
    let text = source("", "k: !unsafe '{{ x }}'\n");
    let node = yaml::read(&text, &mut Vec::new()).unwrap();
    assert_eq!(node.get("k").unwrap().value, NodeValue::Unsafe("{{ x }}".to_owned()));
}
