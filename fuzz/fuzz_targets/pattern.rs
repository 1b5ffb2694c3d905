//! Any pattern selects some hosts of the inventory, or is a problem.
#![no_main]

use std::sync::{Arc, LazyLock};

use housewright::inventory::{Documents, Inventory, Written, pattern, yaml};
use housewright::problem::Source;
use libfuzzer_sys::fuzz_target;

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let text = "data: { hosts: { 'data-[1:3]-[a:b]': } }\nsmall: { hosts: { i1: , 'fe80::1': } }\n".to_owned();
    let source = Arc::new(Source { name: "hosts.yml".to_owned(), text });
    let inventories = yaml::read(&source, &mut Vec::new()).map(Written::Yaml).into_iter().collect();
    Inventory::assemble(&Documents { inventories, ..Documents::default() }, &mut Vec::new())
});

fuzz_target!(|text: &str| {
    if let Ok(hosts) = pattern::select(&INVENTORY, text) {
        assert!(!hosts.is_empty());
    }
});
