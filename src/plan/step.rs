//! Steps and gates: all that an executor can do, as data (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clickhouse::Statement;
use crate::duration::whole_seconds;
use crate::fleet::{Hook, HostName};
use crate::ground::Work;
use crate::remote::{Expect, RemotePath, UnitAction, UnitName};
use crate::resource::{Applied, Detachment, Owed, Proof, Record};
use crate::schema::ObjectName;

/// One atomic action on one host, or a condition to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Makes directories, writes files, and then removes files; the contents are the desired ones.
    Write {
        /// Directories to make or mend.
        directories: Vec<RemotePath>,
        /// Files to write, and what must be there before.
        files: Vec<FileStep>,
        /// Files to remove, and what must be there before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removals: Vec<FileStep>,
        /// How the manifest is written again; not shown, for it holds digests.
        #[serde(skip)]
        record: Option<Box<Record>>,
        /// What is owed from now on, until a [`Step::Settle`].
        owes: BTreeSet<Owed>,
    },
    /// Gives files back as they were when the host was asked, where they still are what this run wrote.
    Restore {
        /// Directories that were there, with their owner and mode.
        directories: Vec<RemotePath>,
        /// Files; one that was not there is removed.
        files: Vec<RemotePath>,
        /// How the manifest was to be written; what it was goes back too.
        #[serde(skip)]
        record: Option<Box<Record>>,
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
    /// Does steps where all of these gates are open at a first look.
    Where {
        /// Which.
        gates: Vec<Gate>,
        /// In order.
        steps: Vec<Step>,
    },
    /// Runs a command of the operator's; what [`Traffic::Drain`] takes away, the way back restores.
    Hook {
        /// What for.
        traffic: Traffic,
        /// The command.
        hook: Hook,
    },
    /// Forgets what was owed: the units run with what was written.
    Settle {
        /// What.
        owed: BTreeSet<Owed>,
    },
    /// Makes systemd read its unit files again.
    DaemonReload,
    /// Changes what the host's servers stand on.
    Work(Work),
    /// Does something to a unit.
    Unit {
        /// Which.
        unit: UnitName,
        /// What.
        action: UnitAction,
    },
    /// Detaches tables that consume; what this takes away, [`Step::undo`] brings back.
    Detach {
        /// Which.
        tables: BTreeSet<ObjectName>,
        /// For how long.
        how: Detachment,
        /// How long all of it may take: a consumer that hangs must not hold the run for ever.
        #[serde(rename = "limit_seconds", with = "whole_seconds")]
        limit: Duration,
    },
    /// Attaches tables that were detached.
    Attach {
        /// Which.
        tables: BTreeSet<ObjectName>,
    },
    /// `SYSTEM RELOAD CONFIG`; what the server complains of meanwhile is a failure, also where it answers well.
    ReloadConfig,
    /// Stops merges, which a stop would have to cancel; [`Step::undo`] starts them again, as a restart does.
    StopMerges,
    /// Starts merges.
    StartMerges,
    /// Notes the time by the server's own clock: what its log says from then on is of this run.
    NoteTime,
    /// Waits for the queries that run now, and goes on without their end when the limit is over.
    AwaitQueries {
        /// How long.
        #[serde(rename = "limit_seconds", with = "whole_seconds")]
        limit: Duration,
    },
    /// Runs a statement.
    Execute {
        /// The object that it is about.
        object: String,
        /// What it does with it: `create`, or some other words.
        #[serde(default)]
        verb: Verb,
        /// The statement; sent twice, it does no more than once.
        statement: Statement,
        /// How long it is sent again while it fails for the connection, the coordination or a time-out.
        #[serde(rename = "retry_seconds", with = "whole_seconds", default, skip_serializing_if = "Duration::is_zero")]
        retry: Duration,
    },
    /// Runs a statement that must not be sent twice, and finds out how it ended where its answer is lost.
    Once {
        /// What it is: `data/0004, statement 2 of 3`.
        what: String,
        /// The statement.
        statement: Statement,
        /// What the server calls it.
        query_id: String,
        /// How long it may take.
        #[serde(rename = "limit_seconds", with = "whole_seconds")]
        limit: Duration,
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
    /// The host's own ClickHouse has loaded its tables, takes writes, is up to date and complains of nothing new.
    Settled {
        /// How far behind its peers a replica may be.
        #[serde(rename = "delay_limit_seconds", with = "whole_seconds")]
        delay_limit: Duration,
        /// How long all of it must be so.
        #[serde(rename = "window_seconds", with = "whole_seconds")]
        window: Duration,
        /// Errors that it counted before.
        known: BTreeSet<String>,
    },
    /// A member of the ensemble is in the quorum again, these others serve, one of all leads, and all the others follow it.
    Converged {
        /// Which others.
        members: Vec<HostName>,
    },
    /// Nothing waits on this host's disk to be sent on; what waits is sent.
    Drained {
        /// How long that may take.
        #[serde(rename = "limit_seconds", with = "whole_seconds")]
        limit: Duration,
    },
    /// The server's log has no fatal line since [`Step::NoteTime`], else since the server's start.
    Quiet {
        /// Where it writes what goes wrong.
        log: RemotePath,
    },
    /// The host's own ClickHouse answers a question of its role with 1.
    Asked {
        /// Its name in the role.
        name: String,
        /// The question.
        query: Statement,
        /// How long it may stay shut, where the role says so.
        #[serde(rename = "limit_seconds", with = "maybe_seconds", default, skip_serializing_if = "Option::is_none")]
        limit: Option<Duration>,
        /// What to do where it stays shut, where the question is not its role's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The ClickHouse of every one of these hosts says yes to a question, at a first look.
    Told {
        /// Whom.
        hosts: Vec<HostName>,
        /// What it is about.
        name: String,
        /// The question.
        query: Statement,
    },
    /// Tables consume again.
    Consuming {
        /// Which, and what shows it.
        tables: BTreeMap<ObjectName, Proof>,
    },
    /// The objects are there.
    Objects {
        /// Their names.
        names: Vec<String>,
    },
}

/// What a statement does with an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Makes it.
    #[default]
    Create,
    /// Takes it away.
    Drop,
    /// Changes it, in these words.
    Alter(String),
    /// Notes in the host's record what is about to be made, or was altered.
    Note,
    /// Adds to the host's record what the server made of it.
    Record,
    /// Takes it out of the host's record.
    Forget,
}

/// What a command does with a host's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// Takes the host out.
    Drain,
    /// Brings it back.
    Restore,
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

impl Step {
    /// What a failure behind it has to bring back.
    #[must_use]
    pub fn undo(&self) -> Option<Self> {
        match self {
            Self::Detach { tables, .. } => Some(Self::Attach { tables: tables.clone() }),
            Self::StopMerges => Some(Self::StartMerges),
            _ => None,
        }
    }

    /// Whether its failure says nothing of the host's files and servers: they are well, and stay as they are.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Hook { traffic: Traffic::Restore, .. })
    }
}

/// A duration as whole seconds, where there is one.
mod maybe_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's `with` passes the field so")]
    pub fn serialize<S: Serializer>(limit: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        limit.map(|limit| limit.as_secs()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a ObjectName>) -> String {
    names.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a write does, in words.
fn written(
    directories: &[RemotePath],
    files: &[FileStep],
    removals: &[FileStep],
    (records, owes): (bool, &BTreeSet<Owed>),
) -> String {
    let name = |files: &[FileStep]| files.iter().map(|file| file.path.file_name()).collect::<String>();
    let made = match (directories.len(), files.len()) {
        (0, 0) => None,
        (1, 0) => Some(format!("make {}", directories.iter().map(RemotePath::as_str).collect::<String>())),
        (directories, 0) => Some(format!("make {directories} directories")),
        (_, 1) => Some(format!("write {}", name(files))),
        (_, files) => Some(format!("write {files} files")),
    };
    let gone = match removals.len() {
        0 => None,
        1 => Some(format!("remove {}", name(removals))),
        removals => Some(format!("remove {removals} files")),
    };
    let parts: Vec<_> = made.into_iter().chain(gone).collect();
    match (parts.is_empty(), records, owes.is_empty()) {
        (false, ..) => parts.join(", "),
        (true, true, true) => "record which files are its own".to_owned(),
        (true, ..) if owes.iter().all(|owed| matches!(owed, Owed::Attach(_))) => "note what is detached".to_owned(),
        (true, ..) if owes.iter().all(|owed| *owed == Owed::Traffic) => "note that it is out of traffic".to_owned(),
        (true, ..) => "note that a restart is owed".to_owned(),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { directories, files, removals, record, owes } => {
                f.write_str(&written(directories, files, removals, (record.is_some(), owes)))
            }
            Self::Restore { files, .. } => match files.as_slice() {
                [] => f.write_str("give the directories back"),
                [file] => write!(f, "give the previous {} back", file.file_name()),
                files => write!(f, "give {} previous files back", files.len()),
            },
            Self::Unless { gate, steps } => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                write!(f, "{}, unless {}", steps.join(", "), gate.to_string().trim_start_matches("gate: "))
            }
            Self::Where { gates, steps } => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                let gates: Vec<_> = gates.iter().map(ToString::to_string).collect();
                let gates = gates.join(", ").replace("gate: ", "");
                write!(f, "{}, where {gates}", steps.join(", "))
            }
            Self::Hook { traffic: Traffic::Drain, hook } => write!(f, "out of traffic: {hook}"),
            Self::Hook { traffic: Traffic::Restore, hook } => write!(f, "into traffic: {hook}"),
            Self::Settle { owed } if owed.iter().all(|owed| *owed == Owed::Traffic) => f.write_str("in traffic again"),
            // Whoever restarts does what less would do.
            Self::Settle { owed } => match owed.iter().rfind(|owed| !matches!(owed, Owed::Attach(_))) {
                Some(dearest) => write!(f, "no longer owed: {dearest}"),
                None => f.write_str("nothing is detached any more"),
            },
            Self::Work(work) => f.write_str(&work.what),
            Self::DaemonReload => f.write_str("reload systemd's unit files"),
            Self::Unit { unit, action } => write!(f, "{action} {unit}"),
            Self::Detach { tables, .. } => write!(f, "detach {}", names(tables)),
            Self::Attach { tables } => write!(f, "attach {}", names(tables)),
            Self::ReloadConfig => f.write_str("reload the configuration"),
            Self::NoteTime => f.write_str("note the time"),
            Self::StopMerges => f.write_str("stop merges"),
            Self::StartMerges => f.write_str("start merges"),
            Self::AwaitQueries { limit } => write!(f, "let queries end, at most {} s", limit.as_secs()),
            Self::Execute { object, verb, .. } => match verb {
                Verb::Create => write!(f, "create {object}"),
                Verb::Drop => write!(f, "drop {object}"),
                Verb::Alter(what) => write!(f, "{object}: {what}"),
                Verb::Note => write!(f, "note {object}"),
                Verb::Record => write!(f, "record {object}"),
                Verb::Forget => write!(f, "take {object} out of the record"),
            },
            Self::Once { what, query_id, .. } => write!(f, "run {what}, as query {query_id}"),
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
            Self::Settled { window, .. } => {
                write!(f, "gate: all loaded, up to date, no complaints, for {} s", window.as_secs())
            }
            Self::Converged { .. } => f.write_str("gate: one leads, and all follow it"),
            Self::Quiet { .. } => f.write_str("gate: nothing fatal in its log"),
            Self::Asked { name, .. } | Self::Told { name, .. } => write!(f, "gate: {name}"),
            Self::Drained { .. } => f.write_str("gate: nothing waits to be sent on"),
            Self::Consuming { tables } => {
                let verb = if tables.len() == 1 { "consumes" } else { "consume" };
                write!(f, "gate: {} {verb}", names(tables.keys()))
            }
            Self::Objects { names } if names.len() == 1 => write!(f, "gate: {} is there", names.concat()),
            Self::Objects { names } => write!(f, "gate: {} objects are there", names.len()),
        }
    }
}
