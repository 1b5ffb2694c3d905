//! Templates from the disk; secrets from the environment and from files (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Templates;
use crate::problem::{Problem, Source, io_words};
use crate::secret::{Secret, SecretRef, SecretStore};

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

/// Reads the values of secrets.
///
/// # Errors
/// Names each secret that is not there, not text, or empty; never a value.
pub fn secrets(wanted: &BTreeSet<SecretRef>) -> Result<SecretStore, Vec<Problem>> {
    let (mut store, mut problems) = (SecretStore::default(), Vec::new());
    for reference in wanted {
        match secret(reference) {
            Ok(value) => store.insert(reference.clone(), Secret::new(value)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(store) } else { Err(problems) }
}

fn secret(reference: &SecretRef) -> Result<String, Problem> {
    let said = |what: String| Problem::new("HW0509", format!("secret `{reference}`: {what}"));
    let value = match reference {
        SecretRef::Env(name) => std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => {
                said("the environment variable is not set".to_owned()).hint(format!("export {name}=..."))
            }
            std::env::VarError::NotUnicode(_) => said("the environment variable is not UTF-8".to_owned()),
        })?,
        SecretRef::File(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| said(format!("cannot read the file: {}", io_words(&error))))?;
            text.strip_suffix('\n').map_or(text.clone(), |text| text.strip_suffix('\r').unwrap_or(text).to_owned())
        }
    };
    if value.is_empty() { Err(said("it is empty".to_owned())) } else { Ok(value) }
}
