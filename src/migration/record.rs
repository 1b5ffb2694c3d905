//! How far a migration has come, as a host remembers it (pure).

use std::collections::BTreeMap;

use super::MigrationId;

/// A host's records.
pub type MigrationRecords = BTreeMap<MigrationId, MigrationRecord>;

/// One migration on one host's record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MigrationRecord {
    /// What its file was called.
    pub name: String,
    /// How often it was run: `shard`.
    pub scope: String,
    /// Of what was run.
    pub checksum: String,
    /// The host that runs it for the others.
    pub host: String,
    /// How many statements it has.
    pub statements: u32,
    /// How many of them were done, as far as this host knows.
    pub done: u32,
    /// Whether that is all.
    pub progress: Progress,
    /// How often it was begun.
    pub attempt: u32,
    /// What the server calls the statement that was begun last; empty where none was, on this host.
    pub query: String,
    /// When this was written, by the host's own clock.
    pub at: String,
    /// What became of that statement, as far as this server tells.
    pub outcome: Outcome,
}

/// Whether a migration is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// A run has begun it.
    Begun,
    /// All of it is done.
    Done,
}

impl Progress {
    /// The word in the table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
        }
    }
}

/// What became of a statement that was begun, as its server tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It still runs.
    Running,
    /// It came to its end.
    Finished,
    /// It ended in the middle, with this complaint.
    Failed(String),
    /// It was refused before it did anything.
    Refused(String),
}
