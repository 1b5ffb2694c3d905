//! The key of digests on the machine that runs Housewright: made once, readable by its user alone (edge).

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::problem::io_words;
use crate::secret::keyed::{DigestKey, KEY_BYTES};

/// The key itself, for machines that share one.
pub const KEY: &str = "HOUSEWRIGHT_DIGEST_KEY";
/// A file that holds it.
pub const KEY_FILE: &str = "HOUSEWRIGHT_DIGEST_KEY_FILE";
/// The directory of what Housewright keeps on this machine.
pub const STATE_DIR: &str = "HOUSEWRIGHT_STATE_DIR";
/// Its name there.
const NAME: &str = "digest-key";
/// 64 digits and what may stand around them.
const MOST_BYTES: u64 = 256;

/// What to do where there is no key yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make one: something that it belongs to is about to be written.
    Make,
    /// Go on without one.
    Leave,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DigestKeyError {
    /// The variable holds something else.
    #[error("`{KEY}` is no key: it must be 64 hexadecimal digits")]
    Variable,
    /// A file holds something else.
    #[error("`{0}` holds no key: it must be 64 hexadecimal digits")]
    File(PathBuf),
    /// Others can read it.
    #[error("others can read the key in `{0}`")]
    Open(PathBuf),
    /// It cannot be read or made.
    #[error("the key of digests `{path}`: {}", io_words(.source))]
    Io { path: PathBuf, source: io::Error },
    /// There is no place to keep one.
    #[error("there is no directory to keep the key of digests in: neither `HOME` nor `{STATE_DIR}` is set")]
    NoPlace,
}

impl DigestKeyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Open(path) => format!("`chmod 600 {}`", path.display()),
            Self::Variable | Self::File(_) => "`openssl rand -hex 32` makes one".to_owned(),
            Self::Io { .. } | Self::NoPlace => {
                format!("give it by `{KEY}` or `{KEY_FILE}`; `openssl rand -hex 32` makes one")
            }
        }
    }
}

/// The key of this process: `HOUSEWRIGHT_DIGEST_KEY`, the file `HOUSEWRIGHT_DIGEST_KEY_FILE`, else the one of this machine.
///
/// # Errors
/// Refuses what is no key, and a key of this machine that others can read.
pub fn digest_key(missing: Missing) -> Result<Option<DigestKey>, DigestKeyError> {
    if let Some(text) = std::env::var_os(KEY) {
        return text.to_str().and_then(DigestKey::parse).map(Some).ok_or(DigestKeyError::Variable);
    }
    if let Some(path) = std::env::var_os(KEY_FILE).map(PathBuf::from) {
        return read(&path, Others::MayRead)?
            .map(Some)
            .ok_or_else(|| DigestKeyError::Io { path, source: io::ErrorKind::NotFound.into() });
    }
    match (directory(), missing) {
        (Some(directory), missing) => of_machine(&directory, missing),
        (None, Missing::Leave) => Ok(None),
        (None, Missing::Make) => Err(DigestKeyError::NoPlace),
    }
}

/// `HOUSEWRIGHT_STATE_DIR`, else `housewright` in the user's state directory.
fn directory() -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    path(STATE_DIR)
        .or_else(|| Some(path("XDG_STATE_HOME")?.join("housewright")))
        .or_else(|| Some(path("HOME")?.join(".local/state/housewright")))
}

/// The key that is kept in a directory.
fn of_machine(directory: &Path, missing: Missing) -> Result<Option<DigestKey>, DigestKeyError> {
    let path = directory.join(NAME);
    match read(&path, Others::MustNot)? {
        None if missing == Missing::Make => {
            make(directory, &path).map_err(|source| DigestKeyError::Io { path: path.clone(), source })?;
            read(&path, Others::MustNot)
        }
        found => Ok(found),
    }
}

/// Whether others on the machine may read a file with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// Somebody else put it there, such as a secret that is mounted.
    MayRead,
    MustNot,
}

fn read(path: &Path, others: Others) -> Result<Option<DigestKey>, DigestKeyError> {
    let failed = |source| DigestKeyError::Io { path: path.to_owned(), source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if others == Others::MustNot && mode & 0o077 != 0 {
        return Err(DigestKeyError::Open(path.to_owned()));
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    DigestKey::parse(&text).map(Some).ok_or_else(|| DigestKeyError::File(path.to_owned()))
}

/// Makes a key in one step: of two processes that do it at once, one wins and both read its key.
fn make(directory: &Path, path: &Path) -> io::Result<()> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let new = directory.join(format!("{NAME}.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{}", DigestKey::new(bytes).text().expose())?;
    file.sync_all()?;
    let linked = match fs::hard_link(&new, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    linked.and(fs::remove_file(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_one_key_that_only_its_user_reads() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("a/b");
        assert_eq!(of_machine(&state, Missing::Leave).unwrap(), None);
        let key = of_machine(&state, Missing::Make).unwrap().unwrap();
        assert_eq!(of_machine(&state, Missing::Make).unwrap(), Some(key.clone()));
        assert_eq!(of_machine(&state, Missing::Leave).unwrap(), Some(key));
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "nothing else is left");
        let file = state.join(NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = of_machine(&state, Missing::Make).unwrap_err();
        assert!(matches!(error, DigestKeyError::Open(_)), "{error}");
    }

    #[test]
    fn a_file_that_holds_something_else_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(NAME);
        fs::write(&file, "hunter2").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let error = of_machine(directory.path(), Missing::Make).unwrap_err();
        assert!(matches!(error, DigestKeyError::File(_)) && !error.to_string().contains("hunter2"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "hunter2");
    }
}
