//! Any text is an INI inventory, Python's literals in it, or a list of problems, each of which can be shown.
#![no_main]

use std::sync::Arc;

use housewright::inventory::{Documents, Inventory, Written, ini};
use housewright::problem::Source;
use housewright::report::diagnostic::{Colour, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Arc::new(Source { name: "fuzz".to_owned(), text: text.to_owned() });
    let mut problems = Vec::new();
    let inventories = ini::read(&source, &mut problems).map(Written::Ini).into_iter().collect();
    let inventory = Inventory::assemble(&Documents { inventories, ..Documents::default() }, &mut problems);
    let _ = inventory.list(None).json();
    let _ = render(&problems, Colour::Plain);
});
