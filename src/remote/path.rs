//! Paths and unit names on a host, valid by construction (pure).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An absolute, normalised path of a file or directory on a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RemotePath(String);

/// Why a text is no [`RemotePath`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{path}` is not a path on a host: {reason}")]
pub struct RemotePathError {
    path: String,
    reason: &'static str,
}

impl RemotePath {
    /// Takes an absolute path without `.`, `..`, empty parts, or control characters.
    ///
    /// # Errors
    /// Says which of these rules the path breaks.
    pub fn new(path: impl Into<String>) -> Result<Self, RemotePathError> {
        let path = path.into();
        let reason = if !path.starts_with('/') {
            "it must be absolute"
        } else if path.chars().any(char::is_control) {
            "it must not hold control characters"
        } else if path.len() > 1 && path[1..].split('/').any(|part| matches!(part, "" | "." | "..")) {
            "it must not hold empty parts, `.` or `..`"
        } else {
            return Ok(Self(path));
        };
        Err(RemotePathError { path, reason })
    }

    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a word of a command that people copy into a shell.
    #[must_use]
    pub fn as_word(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.:@%+,".contains(&byte);
        if self.0.bytes().all(plain) { self.0.clone() } else { format!("'{}'", self.0.replace('\'', "'\\''")) }
    }

    /// The directory that it is in (`/` is in itself).
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rfind('/') {
            Some(0) | None => Self("/".to_owned()),
            Some(end) => Self(self.0[..end].to_owned()),
        }
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RemotePath {
    type Error = RemotePathError;
    fn try_from(path: String) -> Result<Self, Self::Error> {
        Self::new(path)
    }
}

impl From<RemotePath> for String {
    fn from(path: RemotePath) -> Self {
        path.0
    }
}

/// The name of a systemd unit, without or with its `.service` suffix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(String);

impl UnitName {
    /// Takes a unit name of the characters that systemd allows; `.service` is added where no type is given.
    ///
    /// # Errors
    /// Refuses an empty name and characters outside `systemd.unit(5)`'s set.
    pub fn new(name: impl Into<String>) -> Result<Self, RemotePathError> {
        let mut name = name.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(allowed) {
            return Err(RemotePathError { path: name, reason: "not a systemd unit name" });
        }
        if !name.contains('.') {
            name.push_str(".service");
        }
        Ok(Self(name))
    }

    /// The full name, with its type suffix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without the `.service` suffix, as people say it.
impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.strip_suffix(".service").unwrap_or(&self.0))
    }
}

impl TryFrom<String> for UnitName {
    type Error = RemotePathError;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> Self {
        name.0
    }
}
