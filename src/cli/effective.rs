//! `housewright render --effective`: the configurations of each host as wholes (edge).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::error::CommandError;
use super::output;
use crate::event::chain;
use crate::fleet::HostName;
use crate::problem::{Problem, io_words};
use crate::render::{Desired, EffectiveFile, effective};
use crate::report::hosts::short;

/// More than any configuration has beside ours.
const MOST_BASE_FILES: usize = 500;

/// Each host's configurations; what is wrong with them is told once for all hosts that have it.
pub(super) fn configurations<'a>(
    desired: &'a BTreeMap<HostName, Desired>,
    base: Option<&Path>,
) -> Result<Vec<(&'a HostName, EffectiveFile)>, CommandError> {
    let base = if let Some(directory) = base {
        read(directory)?
    } else {
        output::say("note: merged from the rendered files alone: --base DIR puts them on top of what else is there");
        BTreeMap::new()
    };
    let (mut made, mut wrong, mut notes) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (host, desired) in desired {
        for configuration in effective(desired, &base) {
            match configuration {
                Ok(configuration) => {
                    for note in &configuration.notes {
                        notes.entry(note.to_string()).or_insert_with(Vec::new).push(host);
                    }
                    made.push((host, configuration));
                }
                Err(error) => wrong.entry(chain(&error)).or_insert_with(Vec::new).push(host),
            }
        }
    }
    let text = |(text, hosts): (String, Vec<&HostName>)| format!("{text}, on {}", short(&hosts));
    let notes: Vec<_> = notes.into_iter().map(|note| Problem::note("HW0514", text(note))).collect();
    output::notes(&notes);
    if !wrong.is_empty() {
        let problems: Vec<_> = wrong.into_iter().map(|error| Problem::new("HW0513", text(error))).collect();
        return Err(problems.into());
    }
    Ok(made)
}

/// The files of a base, by their path in it: beside each other and in directories of the first level.
fn read(directory: &Path) -> Result<BTreeMap<String, Bytes>, CommandError> {
    let failed = |path: &Path, error: &std::io::Error| {
        CommandError::plain(format!("cannot read `{}`: {}", path.display(), io_words(error)))
    };
    let mut files = BTreeMap::new();
    let mut left = vec![(directory.to_path_buf(), String::new())];
    while let Some((at, prefix)) = left.pop() {
        for entry in fs::read_dir(&at).map_err(|error| failed(&at, &error))? {
            let entry = entry.map_err(|error| failed(&at, &error))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else { continue };
            if path.is_dir() && prefix.is_empty() {
                left.push((path, format!("{name}/")));
            } else if path.is_file() {
                let text = fs::read(&path).map_err(|error| failed(&path, &error))?;
                files.insert(format!("{prefix}{name}"), Bytes::from(text));
            }
            if files.len() > MOST_BASE_FILES {
                let message = format!("`{}` has more than {MOST_BASE_FILES} files", directory.display());
                return Err(CommandError::hinted(
                    message,
                    "name a directory with config.xml, users.xml, config.d/, ...",
                ));
            }
        }
    }
    Ok(files)
}
