//! Steps and gates: all that an executor can do, as data (pure).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clickhouse::Statement;
use crate::fleet::HostName;
use crate::remote::{Expect, RemotePath, UnitAction, UnitName};
use crate::resource::{Applied, Owed};

/// One atomic action on one host, or a condition to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Makes directories and writes files; the contents are the desired ones.
    Write {
        /// Directories to make or mend.
        directories: Vec<RemotePath>,
        /// Files to write, and what must be there before.
        files: Vec<FileStep>,
        /// What is owed from now on, until a [`Step::Settle`].
        owes: BTreeSet<Owed>,
    },
    /// Gives files back as they were when the host was asked, where they still are what this run wrote.
    Restore {
        /// Directories that were there, with their owner and mode.
        directories: Vec<RemotePath>,
        /// Files; one that was not there is removed.
        files: Vec<RemotePath>,
        /// What is owed from now on, until a [`Step::Settle`].
        owes: BTreeSet<Owed>,
    },
    /// Does steps where a gate is shut at a first look.
    Unless {
        /// Which.
        gate: Gate,
        /// In order.
        steps: Vec<Step>,
    },
    /// Forgets what was owed: the units run with what was written.
    Settle {
        /// What.
        owed: BTreeSet<Owed>,
    },
    /// Makes systemd read its unit files again.
    DaemonReload,
    /// Does something to a unit.
    Unit {
        /// Which.
        unit: UnitName,
        /// What.
        action: UnitAction,
    },
    /// `SYSTEM RELOAD CONFIG`.
    ReloadConfig,
    /// Runs a statement.
    Execute {
        /// The object that it makes.
        object: String,
        /// The statement.
        statement: Statement,
    },
    /// Waits for a condition.
    Gate(Gate),
}

/// One file of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStep {
    /// Which.
    pub path: RemotePath,
    /// Checked on the host right before the write; not shown, for a digest of a file with a secret says too much.
    #[serde(skip, default = "Expect::never")]
    pub expect: Expect,
}

/// A condition to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The units run.
    UnitsRunning {
        /// Which.
        units: Vec<UnitName>,
    },
    /// Every one of these other replicas answers and takes writes.
    PeersServing {
        /// The shard that they hold.
        shard: u32,
        /// Which hosts.
        peers: Vec<HostName>,
    },
    /// At least so many of these other members of the ensemble serve.
    QuorumServing {
        /// Which hosts.
        members: Vec<HostName>,
        /// How many of them make a quorum.
        needed: usize,
    },
    /// The host's own coordination server serves.
    KeeperServing,
    /// The host's own ClickHouse answers, however its replicas are.
    Answers,
    /// The host's own ClickHouse answers and none of its replicas is read-only.
    Serving,
    /// The server itself tells the macros and clusters that were written.
    Applied(Applied),
    /// The objects are there.
    Objects {
        /// Their names.
        names: Vec<String>,
    },
}

/// What a failure after the first change means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailurePolicy {
    /// The host served before: no further host is begun, in its wave or a later one.
    StopRun,
    /// The host served nobody: only it is out.
    DropHost,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { directories, files, .. } => match (directories.len(), files.len()) {
                (1, 0) => write!(f, "make {}", directories.iter().map(RemotePath::as_str).collect::<String>()),
                (0, 0) => f.write_str("note that a restart is owed"),
                (directories, 0) => write!(f, "make {directories} directories"),
                (_, 1) => write!(f, "write {}", files.iter().map(|file| file.path.file_name()).collect::<String>()),
                (_, files) => write!(f, "write {files} files"),
            },
            Self::Restore { files, .. } => match files.as_slice() {
                [] => f.write_str("give the directories back"),
                [file] => write!(f, "give the previous {} back", file.file_name()),
                files => write!(f, "give {} previous files back", files.len()),
            },
            Self::Unless { gate, steps } => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                write!(f, "{}, unless {}", steps.join(", "), gate.to_string().trim_start_matches("gate: "))
            }
            Self::Settle { .. } => f.write_str("nothing is owed any more"),
            Self::DaemonReload => f.write_str("reload systemd's unit files"),
            Self::Unit { unit, action } => write!(f, "{action} {unit}"),
            Self::ReloadConfig => f.write_str("reload the configuration"),
            Self::Execute { object, .. } => write!(f, "create {object}"),
            Self::Gate(gate) => gate.fmt(f),
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnitsRunning { units } => {
                let units: Vec<_> = units.iter().map(ToString::to_string).collect();
                write!(f, "gate: {} running", units.join(", "))
            }
            Self::PeersServing { shard, peers } => {
                let peers: Vec<_> = peers.iter().map(ToString::to_string).collect();
                write!(f, "gate: shard {shard} served by {}", peers.join(", "))
            }
            Self::QuorumServing { members, needed } => {
                let members: Vec<_> = members.iter().map(ToString::to_string).collect();
                write!(f, "gate: {needed} of {} serve", members.join(", "))
            }
            Self::KeeperServing => f.write_str("gate: the member serves"),
            Self::Answers => f.write_str("gate: answers"),
            Self::Serving => f.write_str("gate: answers, no replica read-only"),
            Self::Applied(_) => f.write_str("gate: macros and clusters applied"),
            Self::Objects { names } if names.len() == 1 => write!(f, "gate: {} is there", names.concat()),
            Self::Objects { names } => write!(f, "gate: {} objects are there", names.len()),
        }
    }
}
