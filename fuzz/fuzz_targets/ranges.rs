//! Any text expands to a bounded number of names, or says why not.
#![no_main]

use housewright::inventory::ranges::{expand, split_port};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok((name, _)) = split_port(text) else { return };
    if let Ok(names) = expand(name) {
        assert!(!names.is_empty() && names.len() <= 100_000);
    }
});
