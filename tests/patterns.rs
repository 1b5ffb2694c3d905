//! Host patterns: what Ansible's `InventoryManager` selects, in its order.

use std::sync::Arc;

use housewright::inventory::pattern::{Selection, no_files};
use housewright::inventory::{Documents, Inventory, Written, yaml};
use housewright::problem::Source;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

#[path = "support/python.rs"]
mod python;

fn inventory(text: &str) -> Inventory {
    let mut problems = Vec::new();
    let source = Arc::new(Source { name: "hosts.yml".to_owned(), text: text.to_owned() });
    let inventories = yaml::read(&source, &mut problems).map(Written::Yaml).into_iter().collect();
    let inventory = Inventory::assemble(&Documents { inventories, ..Documents::default() }, &mut problems);
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    inventory
}

fn selected(inventory: &Inventory, pattern: &str) -> Option<Vec<String>> {
    let selection = Selection { inventory, facts: &Default::default(), read_file: &no_files };
    selection.in_order(&[pattern]).ok().map(|hosts| hosts.iter().map(ToString::to_string).collect())
}

const HOSTS: [&str; 12] = [
    "web1",
    "web2",
    "web10",
    "db-1",
    "db-2",
    "db-3",
    "Web1",
    "a.example.com",
    "b.example.com",
    "10.0.0.1",
    "fe80::1",
    "x_y",
];
const GROUPS: [&str; 6] = ["web", "db", "prod", "stage", "web_all", "zone_a"];

/// Groups in any order with hosts; the first has some others as children.
///
/// Ansible walks deeper groups in the order of a Python set, which differs from run to run.
fn inventories() -> impl Strategy<Value = String> {
    let group = (
        proptest::sample::subsequence(&HOSTS[..], 0..6).prop_shuffle(),
        proptest::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5], 0..3).prop_shuffle(),
    );
    let order = Just(GROUPS.to_vec()).prop_shuffle();
    (order, proptest::collection::vec(group, 6)).prop_map(|(names, groups)| {
        let mut text = String::new();
        for (index, (name, (hosts, children))) in names.iter().zip(groups).enumerate() {
            let hosts: Vec<String> = hosts.iter().map(|host| format!("'{host}': ")).collect();
            let children = children
                .into_iter()
                .filter(|child| index == 0 && *child > 0)
                .map(|child| format!("{}: ", names[child]));
            let children: Vec<String> = children.collect();
            text.push_str(&format!(
                "{name}: {{ hosts: {{ {} }}, children: {{ {} }} }}\n",
                hosts.join(", "),
                children.join(", ")
            ));
        }
        text
    })
}

fn parts() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        proptest::sample::select(&HOSTS[..]),
        proptest::sample::select(&GROUPS[..]),
        proptest::sample::select(
            &[
                "all",
                "ungrouped",
                "*",
                "web*",
                "db-?",
                "[wd]*",
                "*[!1]",
                "w[a-e]b*",
                "Web*",
                "nope",
                "*.example.com",
                "web[1-2]",
                "db-[]1]",
                "*_*"
            ][..]
        ),
        proptest::sample::select(&["~web", "~.*1$", "~(web|db)", "~^db-[12]", "~W", "~x?y"][..]),
    ];
    let slice = prop_oneof![
        4 => Just(""),
        1 => proptest::sample::select(&["[0]", "[-1]", "[1]", "[0:1]", "[1:]", "[0:0]", "[2:1]", "[-3]", "[7]", "[0:99]", "[1-2]", "[1:0]"][..]),
    ];
    (prop_oneof![4 => Just(""), 1 => Just("&"), 1 => Just("!")], name, slice)
        .prop_map(|(sign, name, slice)| format!("{sign}{name}{slice}"))
}

fn patterns() -> impl Strategy<Value = String> {
    let separator = proptest::sample::select(&[":", ",", ", ", " ", ","][..]);
    (proptest::collection::vec(parts(), 1..4), separator).prop_map(|(parts, separator)| parts.join(separator))
}

#[test]
fn generated_patterns_select_as_ansible_does() {
    let mut ansible = python::Ansible::script("tests/ansible/patterns.py");
    let (mut runner, mut compared) = (TestRunner::new(Config { cases: 60, ..Config::default() }), 0);
    let cases = (inventories(), proptest::collection::vec(patterns(), 40));
    let run = std::cell::RefCell::new((&mut ansible, &mut compared));
    let result = runner.run(&cases, |(text, patterns)| {
        let inventory = inventory(&text);
        let mut held = run.borrow_mut();
        let answers = held.0.ask(&json!({ "inventory": text, "patterns": patterns }));
        for (pattern, answer) in patterns.iter().zip(answers.as_array().unwrap()) {
            let theirs: Vec<&str> =
                answer["hosts"].as_array().into_iter().flatten().filter_map(|host| host.as_str()).collect();
            match selected(&inventory, pattern) {
                Some(ours) => {
                    prop_assert_eq!(&ours, &theirs, "{}\n{}", pattern, text);
                    *held.1 += 1;
                }
                // Ansible passes over what selects nothing; we do not.
                None => prop_assert!(
                    theirs.is_empty() || answer["each"] == json!(false),
                    "{}: {:?}\n{}",
                    pattern,
                    theirs,
                    text
                ),
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(compared > 500, "only {compared} patterns select something");
}
