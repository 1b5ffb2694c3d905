//! Any text is an inventory or a list of problems, each of which can be shown.
#![no_main]

use std::sync::Arc;

use housewright::inventory::{Documents, Inventory, Written, yaml};
use housewright::problem::Source;
use housewright::report::diagnostic::{Colour, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Arc::new(Source { name: "fuzz.yml".to_owned(), text: text.to_owned() });
    let mut problems = Vec::new();
    let Some(node) = yaml::read(&source, &mut problems) else { return drop(render(&problems, Colour::Plain)) };
    let _ = node.to_json();
    let documents = Documents { inventories: vec![Written::Yaml(node)], ..Documents::default() };
    let _ = Inventory::assemble(&documents, &mut problems);
    let _ = render(&problems, Colour::Plain);
});
