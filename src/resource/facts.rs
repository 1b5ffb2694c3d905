//! What was found on the hosts (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FlowFacts, Identity, KeeperFacts, ObservedDirectory, ObservedFile, ObservedManifest, ObservedUnit, Owed,
    Registration, ServerFacts,
};
use crate::fleet::HostName;
use crate::ground::Answers;
use crate::migration::MigrationRecords;
use crate::remote::{ArchiveError, RemotePath, UnitName};
use crate::schema::{ObjectRecords, ObservedObject, Records};

/// What was found on every host that was asked.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// By host; a host that was not asked is not in here.
    pub hosts: BTreeMap<HostName, HostObservation>,
}

/// What was found on one host.
#[derive(Debug, Clone)]
pub enum HostObservation {
    /// It answered.
    Reached(Box<HostFacts>),
    /// It did not; a fact like any other.
    Unreachable {
        /// The whole chain of causes, as one line.
        reason: String,
        /// What the operator can do about it.
        hint: Option<String>,
    },
}

impl HostObservation {
    /// Whether it answers and what it is for runs: its ClickHouse takes writes, or its units run.
    #[must_use]
    pub fn serves(&self) -> bool {
        let Self::Reached(facts) = self else { return false };
        match &facts.clickhouse {
            ClickHouseFacts::Up { server, .. } => server.serves().is_ok(),
            ClickHouseFacts::Down { .. } => false,
            ClickHouseFacts::NotAsked if facts.keeper == KeeperFacts::NotAsked => {
                facts.units.values().all(ObservedUnit::is_running)
            }
            ClickHouseFacts::NotAsked => facts.keeper.serves().is_ok(),
        }
    }
}

impl Observation {
    /// The facts of a host that answered.
    #[must_use]
    pub fn facts(&self, host: &HostName) -> Option<&HostFacts> {
        match self.hosts.get(host) {
            Some(HostObservation::Reached(facts)) => Some(facts),
            _ => None,
        }
    }
}

/// The facts of one host.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct HostFacts {
    /// Who it is.
    pub identity: Identity,
    /// Managed directories that are there.
    pub directories: BTreeMap<RemotePath, ObservedDirectory>,
    /// Managed files that are there.
    pub files: BTreeMap<RemotePath, ObservedFile>,
    /// Every file of the configurations of ClickHouse and its Keeper that is there, ours or not; equal contents of many
    /// hosts are one in memory.
    pub config_tree: BTreeMap<RemotePath, ObservedFile>,
    /// Which files Housewright wrote; recorded apart from the others, for it holds digests of secrets.
    #[serde(skip)]
    pub manifest: ObservedManifest,
    /// Units that were asked for and exist.
    pub units: BTreeMap<UnitName, ObservedUnit>,
    /// What its servers stand on, as the host's own programs tell it.
    #[serde(default)]
    pub ground: Answers,
    /// What an earlier run wrote files for and did not finish.
    pub owed: BTreeSet<Owed>,
    /// Its coordination server.
    pub keeper: KeeperFacts,
    /// Its ClickHouse.
    pub clickhouse: ClickHouseFacts,
    /// What flows through its ClickHouse; empty where no table of it can consume.
    pub flow: FlowFacts,
    /// What Housewright has made in its ClickHouse, by the server's own table; nothing where there is none.
    #[serde(default)]
    pub records: Option<ObjectRecords>,
    /// What was run once in its ClickHouse, or elsewhere for it, by the server's own table; nothing where there is none.
    #[serde(default)]
    pub migrations: Option<MigrationRecords>,
    /// Replicas of tables that its server lacks and that the coordination has.
    #[serde(default)]
    pub registrations: Vec<Registration>,
}

impl HostFacts {
    /// The records that say surely what Housewright made.
    #[must_use]
    pub fn recorded(&self) -> Records {
        let records = self.records.iter().flatten();
        records.filter_map(|(name, record)| Some((name.clone(), record.recorded()?))).collect()
    }
}

/// The state of a host's ClickHouse server.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub enum ClickHouseFacts {
    /// The role has none.
    #[default]
    NotAsked,
    /// It does not answer.
    Down {
        /// Why.
        reason: String,
    },
    /// It answers.
    Up {
        /// About the server itself.
        server: Box<ServerFacts>,
        /// The objects that live in it.
        objects: Vec<ObservedObject>,
    },
}

/// Why a host's answer is no observation.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A question failed on the host.
    #[error("{what} failed: {complaint}")]
    Failed { what: &'static str, complaint: String },
    /// The files' archive is broken.
    #[error("reading files failed: {0}")]
    Archive(#[from] ArchiveError),
}
