//! Any text is a source of discovery or a list of problems.
#![no_main]

use std::sync::Arc;

use housewright::discovery::DiscoverySource;
use housewright::inventory::yaml;
use housewright::problem::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Arc::new(Source { name: "fuzz.aws_ec2.yml".to_owned(), text: text.to_owned() });
    let mut problems = Vec::new();
    if let Some(node) = yaml::read(&source, &mut problems) {
        let _ = DiscoverySource::parse(&node, &mut problems);
    }
});
