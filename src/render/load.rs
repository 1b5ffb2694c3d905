//! Templates from the disk (edge).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Templates;
use crate::problem::{Problem, Source, io_words};

/// Reads and parses every `*.tera` below a directory.
///
/// # Errors
/// Tells each file that cannot be read or parsed.
pub fn templates(dir: &Path) -> Result<Templates, Vec<Problem>> {
    let (mut sources, mut problems) = (BTreeMap::new(), Vec::new());
    walk(dir, "", &mut sources, &mut problems);
    if problems.is_empty() { Templates::new(sources) } else { Err(problems) }
}

fn walk(dir: &Path, prefix: &str, sources: &mut BTreeMap<String, Arc<Source>>, problems: &mut Vec<Problem>) {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return problems.push(unreadable(dir, &error)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            walk(&path, &format!("{name}/"), sources, problems);
        } else if path.extension().is_some_and(|extension| extension == "tera") {
            match fs::read_to_string(&path) {
                Ok(text) => {
                    let source = Source { name: path.display().to_string(), text };
                    sources.insert(name, Arc::new(source));
                }
                Err(error) => problems.push(unreadable(&path, &error)),
            }
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new("HW0510", format!("cannot read `{}`: {}", path.display(), io_words(error)))
}
