//! File operations whose errors say what was being done to which file. Invariant: a file that holds a secret never
//! exists with a wider mode than asked for. edge

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::error::LabError;

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LabError {
    let path = path.to_owned();
    move |source| LabError::File { action, path, source }
}

/// Creates a directory and its parents.
pub(super) fn directory(path: &Path) -> Result<(), LabError> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

/// Writes a whole file with a mode, and creates its directory.
pub(super) fn write(path: &Path, mode: u32, text: &str) -> Result<(), LabError> {
    if let Some(parent) = path.parent() {
        directory(parent)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .map_err(failed("create", path))?;
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed("set the mode of", path))?;
    file.write_all(text.as_bytes()).map_err(failed("write", path))
}

pub(super) fn read(path: &Path) -> Result<String, LabError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Removes a tree or a file; nothing there is no error.
pub(super) fn remove(path: &Path) -> Result<(), LabError> {
    let result = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), LabError> {
    fs::rename(from, to).map_err(failed("rename", from))
}

/// Reads random bytes of the system as lowercase hexadecimal text.
pub(super) fn random_hex(bytes: usize) -> Result<String, LabError> {
    let source = Path::new("/dev/urandom");
    let mut buffer = vec![0; bytes];
    File::open(source).and_then(|mut file| file.read_exact(&mut buffer)).map_err(failed("read", source))?;
    Ok(hex(&buffer))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the last lines of a log, for an error.
pub(super) fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    tail(&text, count)
}

pub(super) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
