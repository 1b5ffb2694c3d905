//! Keeps the layout honest: pure modules import nothing of the edge, files stay small, each says what it is.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that decide; everything else may speak to the world.
const PURE: [&str; 33] = [
    "balance",
    "problem.rs",
    "project.rs",
    "vocabulary",
    "event.rs",
    "secret",
    "remote",
    "fleet",
    "jinja",
    "render",
    "resource",
    "schema",
    "size.rs",
    "backup",
    "leg",
    "migration",
    "plan",
    "role",
    "clickhouse/config",
    "clickhouse/head",
    "discovery/attribute.rs",
    "discovery/baseline.rs",
    "discovery/compare.rs",
    "discovery/conflicts.rs",
    "discovery/construct",
    "discovery/error.rs",
    "discovery/guard.rs",
    "discovery/instance.rs",
    "discovery/layout.rs",
    "discovery/snapshot.rs",
    "discovery/source",
    "discovery/text.rs",
    "discovery/time.rs",
];
/// Words that only the edge may use.
const EDGE_WORDS: [&str; 11] = [
    "tokio::",
    "russh::",
    "aws_sdk",
    "aws_config",
    "indicatif",
    "async fn",
    "std::net",
    "std::process",
    "SystemTime",
    "Instant::now",
    "crate::transport",
];
/// The one kind of file in pure modules that reads the disk, and the directory of its parts.
const LOADER: [&str; 2] = ["load.rs", "load"];

const MOST_CODE_LINES: usize = 500;
const FEW_CODE_LINES: usize = 300;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    found.sort();
    assert!(found.len() > 50, "the sources are read from the project's root");
    found
}

/// The code before the unit tests, without comments and empty lines.
fn code(text: &str) -> Vec<&str> {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).collect()
}

fn is_pure(path: &Path) -> bool {
    PURE.iter().any(|pure| path.starts_with(Path::new("src").join(pure)))
}

#[test]
fn pure_modules_import_nothing_of_the_edge() {
    let mut broken = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| is_pure(path)) {
        let loader = path.components().any(|part| LOADER.iter().any(|name| part.as_os_str() == *name));
        for line in code(text) {
            let word = EDGE_WORDS.iter().find(|word| line.contains(**word));
            let disk = line.contains("std::fs").then_some(&"std::fs").filter(|_| !loader);
            if let Some(word) = word.or(disk) {
                broken.push(format!("{}: `{word}` in: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn files_keep_to_their_budget() {
    let mut sizes: Vec<_> = sources().iter().map(|(path, text)| (code(text).len(), path.clone())).collect();
    sizes.sort();
    let (largest, path) = sizes.last().unwrap();
    assert!(*largest <= MOST_CODE_LINES, "{} has {largest} code lines", path.display());
    let small = sizes.iter().filter(|(size, _)| *size <= FEW_CODE_LINES).count();
    assert!(
        small * 10 >= sizes.len() * 9,
        "only {small} of {} files have {FEW_CODE_LINES} code lines or fewer",
        sizes.len()
    );
    let median = sizes[sizes.len() / 2].0;
    assert!(median <= 110, "the median file has {median} code lines");
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> =
        sources().iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path.clone()).collect();
    assert!(silent.is_empty(), "no module doc in {silent:?}");
}

#[test]
fn nothing_is_left_undone_in_secret() {
    let words = ["todo!", "unimplemented!", "dbg!", "#[allow(", "FIXME"];
    let mut broken = Vec::new();
    for (path, text) in sources() {
        for line in text.lines().filter(|line| words.iter().any(|word| line.contains(word))) {
            broken.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
