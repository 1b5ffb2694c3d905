//! What is done once and is no state: a role's migrations, what is on record of them, and their SQL (pure).
//!
//! A migration that is on record as done anywhere in its scope is never run again; its text, comments aside, may not change.

pub mod code;
mod header;
mod id;
mod read;
mod record;
pub mod recording;
mod statement;
mod survey;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use id::{GoOn, MigrationId};
pub use read::{Migrations, read};
pub use record::{MigrationRecord, MigrationRecords, Outcome, Progress};
pub use survey::{Ran, Survey, survey};

use crate::clickhouse::Statement;
use crate::fleet::RoleName;
use crate::problem::Span;

/// One file of a role's `migrations/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its role and number.
    pub id: MigrationId,
    /// What its file is called behind the number.
    pub name: String,
    /// How often it is run.
    pub scope: Scope,
    /// How long each of its statements may take.
    pub limit: Duration,
    /// What becomes of it where a run dies within.
    pub interrupted: Interrupted,
    /// In order; never empty.
    pub statements: Vec<Statement>,
    /// It takes rows away that it did not make itself.
    pub destroys: bool,
    /// Of its scope and its statements, without blanks and comments.
    pub checksum: String,
    /// Where it stands.
    pub span: Span,
}

/// How often a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Once, on one of all the hosts that have it.
    Fleet,
    /// Once for each shard, on one of its replicas.
    Shard,
    /// On each host.
    Host,
}

/// What becomes of a migration where a run died within one of its statements and nobody knows how that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// It is held until somebody says how to go on.
    Hold,
    /// The statement is run again: none of them does harm twice.
    Repeat,
}

impl Scope {
    /// The word in a header and in a record.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Shard => "shard",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "once per {}", self.word())
    }
}

impl Migration {
    /// How many statements it has.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.statements.len()).unwrap_or(u32::MAX)
    }

    /// What the server calls one of its statements, counted from 1: two attempts are two, and two runs at once are one,
    /// which the server refuses.
    #[must_use]
    pub fn query_id(&self, statement: u32, attempt: u32) -> String {
        let MigrationId { role, number } = &self.id;
        let checksum = self.checksum.get(..8).unwrap_or_default();
        format!("housewright-{role}-{number:04}-{checksum}-{statement}-{attempt}")
    }
}

/// The migrations of every role's hosts; one of an included role stands under every role that includes it.
pub type RoleMigrations = BTreeMap<RoleName, Vec<Migration>>;
