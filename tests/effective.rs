//! The effective configuration of written trees equals what the real server made of them.
//!
//! `expected.xml` was recorded from ClickHouse 25.8.2.1 (`HOUSEWRIGHT_BLESS=1`, feature `live`, test
//! `effective::the_recorded_answers_are_the_servers`); `expected.txt` is its refusal.

#[path = "effective/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;

use tree::Written;

#[test]
fn written_trees_merge_as_on_the_server() {
    let mut wrong = Vec::new();
    let mut folders: Vec<_> =
        fs::read_dir("tests/effective/trees").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(folder.join("expected.xml")).ok();
        match (Written::load(folder).answer("/tree"), expected) {
            (Ok(made), Some(expected)) if made == expected => {}
            (Err(_), None) if folder.join("expected.txt").exists() => {}
            (answer, expected) => wrong.push(format!("{name}:\n{answer:#?}\nthe server:\n{expected:#?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(folders.len() >= 20, "the trees are read from the project's root");
}

/// YAML cannot be asked of the lab's server, which was built without it: its trees are pairs, one in each language.
#[test]
fn yaml_is_read_as_the_xml_that_the_documentation_gives() {
    let folder = Path::new("tests/effective/yaml");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    assert!(!files.is_empty());
    for path in files {
        let yaml = fs::read_to_string(&path).unwrap();
        let written = Written { files: [("config.yaml".to_owned(), yaml)].into(), ..Written::default() };
        let expected = fs::read_to_string(path.with_extension("xml")).unwrap();
        assert_eq!(written.answer("/tree").unwrap(), tree::canonical(&expected), "{}", path.display());
    }
}
