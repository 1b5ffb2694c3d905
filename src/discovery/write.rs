//! Writes the snapshot beside its discovery files (edge): whole or not at all, and only when it says something new.

use std::path::{Path, PathBuf};

use super::DiscoveredHost;
use super::ask::Found;
use super::cache::replace;
use super::snapshot::{self, Head, Of};

/// What became of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is new, or says something else than before.
    New(PathBuf),
    /// It says the same already.
    Same(PathBuf),
}

/// Writes the snapshot of each directory that has discovery files.
///
/// # Errors
/// The path that cannot be written, and why.
pub fn write(found: &[Found], now: u64) -> Result<Vec<Written>, (PathBuf, std::io::Error)> {
    let path = |found: &Found| Path::new(found.source.file()).with_file_name(snapshot::FILE);
    let mut paths: Vec<PathBuf> = found.iter().map(path).collect();
    paths.sort();
    paths.dedup();
    let mut written = Vec::new();
    for to in paths {
        let here: Vec<&Found> = found.iter().filter(|found| path(found) == to).collect();
        let of = here.iter().map(|found| Of::new(&found.source, &found.hosts)).collect();
        let hosts: Vec<DiscoveredHost> = here.iter().flat_map(|found| found.hosts.iter().cloned()).collect();
        let text = snapshot::write(&Head { written: now, of }, &hosts);
        if std::fs::read_to_string(&to).is_ok_and(|before| snapshot::same(&before, &text)) {
            written.push(Written::Same(to));
            continue;
        }
        replace(&to, text.as_bytes(), 0o644).map_err(|error| (to.clone(), error))?;
        written.push(Written::New(to));
    }
    Ok(written)
}
