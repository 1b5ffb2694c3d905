//! Which keys a host may have, from known_hosts files (edge: reads and appends; the decision is in `policy`).
//!
//! Each file is read once per run. A file that is not there has no lines; one that cannot be read stops the connect.

mod line;
mod pattern;
mod policy;

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use line::{Line, Marker};
pub use policy::{Offered, Place, Verdict, Wanted, decide, wanted};

/// One file's lines that say something.
#[derive(Debug, Clone, Default)]
pub struct KnownHostsFile {
    /// Where it is.
    pub path: PathBuf,
    /// In the order of the file.
    pub lines: Vec<Line>,
}

impl KnownHostsFile {
    /// Reads the text of a file; lines that make no sense are passed over, as OpenSSH does.
    #[must_use]
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Self {
        let lines = text.lines().enumerate().filter_map(|(index, text)| Line::parse(index + 1, text)).collect();
        Self { path: path.into(), lines }
    }
}

/// Why a known_hosts file could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use `{path}`")]
pub struct KnownHostsError {
    /// Which file.
    pub path: String,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// The files of a run, each read once.
#[derive(Debug, Default)]
pub struct KnownHosts(Mutex<HashMap<PathBuf, Arc<KnownHostsFile>>>);

impl KnownHosts {
    /// The lines of these files.
    ///
    /// # Errors
    /// Names the file that is there and cannot be read.
    pub fn files(&self, paths: &[PathBuf]) -> Result<Vec<Arc<KnownHostsFile>>, KnownHostsError> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paths.iter().map(|path| load(&mut cache, path)).collect()
    }

    /// Appends a host's key to a file, which is made where it is not there.
    ///
    /// # Errors
    /// Names the file that cannot be written.
    pub fn append(&self, path: &Path, host: &str, port: u16, key: &str) -> Result<(), KnownHostsError> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |source| KnownHostsError { path: path.display().to_string(), source };
        let known = read(path).map_err(failed)?;
        let gap = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
        let line = format!("{gap}{} {key}\n", policy::name(host, port));
        write(path, &line).map_err(failed)?;
        cache.insert(path.to_owned(), Arc::new(KnownHostsFile::parse(path, &(known + &line))));
        Ok(())
    }
}

fn load(
    cache: &mut HashMap<PathBuf, Arc<KnownHostsFile>>,
    path: &Path,
) -> Result<Arc<KnownHostsFile>, KnownHostsError> {
    if let Some(file) = cache.get(path) {
        return Ok(Arc::clone(file));
    }
    let text = read(path).map_err(|source| KnownHostsError { path: path.display().to_string(), source })?;
    let file = Arc::new(KnownHostsFile::parse(path, &text));
    cache.insert(path.to_owned(), Arc::clone(&file));
    Ok(file)
}

fn read(path: &Path) -> io::Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, line: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests;
