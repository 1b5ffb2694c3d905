//! Commands as data, and the batch that carries them in one round trip (pure).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::{RemotePath, UnitName};
use crate::secret::Secret;

/// Commands that run one after the other in one remote process.
///
/// The first command that does not exit with 0 ends the batch; the rest answer [`Status::NotRun`](super::Status).
/// At most one [`Command::Write`] is in a batch, because the one stdin carries its archive.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// In the order in which they run.
    pub commands: Vec<Command>,
}

impl Batch {
    /// How long its commands may take that say so themselves.
    #[must_use]
    pub fn limit(&self) -> Duration {
        let limit = |command: &Command| match command {
            Command::Work { limit, .. } => *limit,
            _ => Duration::ZERO,
        };
        self.commands.iter().map(limit).sum()
    }
}

/// One thing to do on a host.
#[derive(Debug, Clone)]
pub enum Command {
    /// Runs a program with these arguments, without a shell; stdin is empty. Never holds a secret.
    Run { argv: Vec<String> },
    /// Runs a program that only reads. Whatever becomes of it, the batch goes on: behind what it printed stands a line with its
    /// exit code, 127 where it is not there.
    Ask { argv: Vec<String> },
    /// Runs a program that changes the host, without a shell, for so long at most; stdin is empty. Never holds a secret.
    Work { argv: Vec<String>, limit: Duration },
    /// Reads metadata of all paths and content of those that are regular files, as one tar archive on stdout.
    /// A path that does not exist is left out and is no failure.
    Read { paths: Vec<RemotePath> },
    /// Reads metadata and content of the files in directories, as [`Command::Read`] does; links stay links. A directory
    /// that does not exist is no failure; too many files, or one that is too large, are.
    ReadTree(TreeRead),
    /// Checks what is there, then writes files so that each is either old or new, never half.
    Write(WriteSet),
    /// Reads the state of units, as `systemctl show` prints it.
    UnitState { units: Vec<UnitName> },
    /// Does something to a unit; on failure its last log lines are on stderr.
    Unit { unit: UnitName, action: UnitAction },
    /// Makes systemd read its unit files again.
    DaemonReload,
}

/// Which files of which directories to read: no name that begins with a dot, and nothing of a directory further below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRead {
    /// Where.
    pub directories: Vec<RemotePath>,
    /// How their names end, in any case, such as `.xml`.
    pub endings: Vec<String>,
    /// More files than that are a failure.
    pub most_files: usize,
    /// A larger file is a failure.
    pub most_kib: u64,
}

impl TreeRead {
    /// Whether a file would be read, by its path.
    #[must_use]
    pub fn covers(&self, path: &RemotePath) -> bool {
        let name = path.file_name();
        let ends = |ending: &String| {
            let tail = name.len().checked_sub(ending.len()).and_then(|start| name.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
        };
        !name.starts_with('.') && self.directories.contains(&path.parent()) && self.endings.iter().any(ends)
    }
}

/// What can be done to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitAction {
    /// `systemctl enable`.
    Enable,
    /// `systemctl start`.
    Start,
    /// `systemctl restart`.
    Restart,
}

/// As `systemctl` calls it.
impl fmt::Display for UnitAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enable => "enable",
            Self::Start => "start",
            Self::Restart => "restart",
        })
    }
}

/// Files and directories that are written together.
///
/// The order on the host: directories that are missing are made; all files are unpacked beside their targets under a
/// name that no server reads; `expects` and the digests of the unpacked files are checked; only then directories that
/// were there get their owner and mode, and each file is renamed, directory by directory in the order in which `files`
/// names them first; then `removals` are removed, and last `closing` is renamed. What fails leaves all before it done; the
/// exit code says so.
#[derive(Debug, Clone, Default)]
pub struct WriteSet {
    /// What must still be there, else nothing is written.
    pub expects: Vec<Expect>,
    /// Directories to make or mend, parents first.
    pub directories: Vec<DirectoryWrite>,
    /// Files to write.
    pub files: Vec<FileWrite>,
    /// Files to remove; one that is not there is no failure.
    pub removals: Vec<RemotePath>,
    /// Written when all of that is done; it may be one of `files` with another content.
    pub closing: Option<FileWrite>,
    /// Directories in which a write that was killed may have left what it unpacked: that goes first.
    pub sweeps: Vec<RemotePath>,
    /// The directory of a ClickHouse configuration that some of the files, or of those to remove, are part of: the host's own binary reads it as
    /// it will be before the first rename, and what it refuses is not written.
    pub check: Option<RemotePath>,
}

/// A directory with its owner and mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryWrite {
    /// Where.
    pub path: RemotePath,
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits, such as `0o750`.
    pub mode: u32,
}

/// A file with its content, owner and mode.
#[derive(Debug, Clone)]
pub struct FileWrite {
    /// Where.
    pub path: RemotePath,
    /// The bytes; they may hold a secret and travel on stdin only.
    pub content: Secret<Bytes>,
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits, such as `0o640`.
    pub mode: u32,
}

/// One precondition on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Of which file.
    pub path: RemotePath,
    /// What it must be.
    pub state: Expected,
}

impl Expect {
    /// What is never so: a plan that was read from a file does not know what was there.
    #[must_use]
    pub fn never() -> Self {
        Self { path: RemotePath::root(), state: Expected::Absent }
    }
}

/// What a file must be right before it is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// Nothing is there.
    #[default]
    Absent,
    /// Anything: what a package of the same run has brought.
    Whatever,
    /// The SHA-256 of its content.
    Sha256([u8; 32]),
}
