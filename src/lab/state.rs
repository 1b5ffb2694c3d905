//! The lab's journal: one line for everything that `up` is about to make. Invariant: a line is in the file before the
//! thing that it names exists, so that whatever a killed `up` left is known to the next command. edge

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::error::LabError;
use super::files::{self, failed};
use super::process::{Process, Task};
use super::spec::{LabSpec, Paths};

/// One line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Entry {
    /// The first line: what is being built, and in which boot of the machine.
    Begin { boot: String, spec: LabSpec },
    /// A network namespace, about to be made.
    Namespace(String),
    /// The mount point of named network namespaces, about to be made by the first of them.
    NamespaceDirectory,
    /// A process, waiting at its gate.
    Process { name: String, task: Task, process: Process },
    /// A control group, about to be made.
    ControlGroup(std::path::PathBuf),
    /// A kernel setting, about to be changed.
    Sysctl { path: String, old: String, new: String },
    /// What was chosen where the specification left a choice.
    Choice { clickhouse: String, broker: super::broker::Broker },
    /// The lab is whole.
    Complete,
}

/// What the journal says.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) entries: Vec<Entry>,
}

/// The open journal, to add to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: std::path::PathBuf,
}

impl Journal {
    pub(super) fn open(paths: &Paths<'_>) -> Result<Self, LabError> {
        let path = paths.journal();
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed("open", &path))?;
        // Ends a line that a killed command may have left torn.
        (&file).write_all(b"\n").map_err(failed("write", &path))?;
        Ok(Self { file, path })
    }

    /// Adds a line with one write, so that lines of several threads do not mix.
    pub(super) fn add(&self, entry: &Entry) -> Result<(), LabError> {
        let line = serde_json::to_string(entry).map_err(std::io::Error::from);
        line.and_then(|line| (&self.file).write_all(format!("{line}\n").as_bytes()))
            .map_err(failed("write", &self.path))
    }
}

impl State {
    /// Reads the journal; none is an empty state. A torn last line names nothing that exists, and is left out.
    pub(super) fn read(paths: &Paths<'_>) -> Result<Self, LabError> {
        let path = paths.journal();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { entries: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    pub(super) fn spec(&self) -> Option<&LabSpec> {
        self.entries.iter().find_map(|entry| if let Entry::Begin { spec, .. } = entry { Some(spec) } else { None })
    }

    /// Whether `up` came to its end, in this boot of the machine.
    pub(super) fn complete(&self) -> bool {
        self.this_boot() && self.entries.iter().any(|entry| matches!(entry, Entry::Complete))
    }

    /// Whether what is recorded can still exist: namespaces, mounts and processes end with the machine.
    pub(super) fn this_boot(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Begin { boot, .. } if *boot == boot_id()))
    }

    /// The latest process of each name that is alive.
    pub(super) fn alive(&self) -> Vec<(&str, Task, Process)> {
        if !self.this_boot() {
            return Vec::new();
        }
        let all = self.entries.iter().filter_map(|entry| match entry {
            Entry::Process { name, task, process } => Some((name.as_str(), *task, *process)),
            _ => None,
        });
        all.filter(|(_, _, process)| process.alive()).collect()
    }

    pub(super) fn choice(&self) -> Option<(&str, super::broker::Broker)> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Choice { clickhouse, broker } => Some((clickhouse.as_str(), *broker)),
            _ => None,
        })
    }
}

pub(super) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The lock on a state directory: `up` and `down` hold it, and so does every short command that they run (it is their
/// standard input), so that the next `down` cannot begin before a killed `up`'s last `ip` has ended.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) file: File,
}

impl Lock {
    /// Time enough for the last command of a killed `up` to end.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(super) fn take(state_dir: &Path) -> Result<Self, LabError> {
        let path = Paths(state_dir).lock();
        files::directory(state_dir)?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed("open", &path))?;
        let deadline = Instant::now() + Self::PATIENCE;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(failed("lock", &path)(error.into()));
            }
            if Instant::now() > deadline {
                return Err(LabError::Busy(state_dir.to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { file })
    }
}
