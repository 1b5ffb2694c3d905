//! What a kind of host is: placement, directories, files, units and schema, as data (pure; `load` reads the disk).

mod ground;
pub mod load;
mod merge;
mod parse;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::clickhouse::Statement;
use crate::fleet::RoleName;
use crate::problem::Source;
use crate::remote::{RemotePath, UnitName};

pub use ground::{CommandSpec, GroundSpec, KernelFileSpec, PackageSpec, SysctlSpec, UserSpec, WordSpec};
pub use merge::merge;
pub use parse::{RoleDocument, parse};

/// A role with its included roles merged in: an included role's parts come first, its own win on the same key.
#[derive(Debug, Clone)]
pub struct Role {
    /// The name of its directory.
    pub name: RoleName,
    /// One line for people.
    pub description: String,
    /// What its hosts keep.
    pub placement: PlacementKind,
    /// The value of the macro `hostClusterRole` on its hosts; a role without one is only there to be included.
    pub host_cluster_role: Option<String>,
    /// Names of the roles that it includes, in order.
    pub include: Vec<RoleName>,
    /// Default variables; the inventory overrides them.
    pub vars: Map<String, Value>,
    /// Directories, by path.
    pub directories: BTreeMap<RemotePath, DirectorySpec>,
    /// Files, by path.
    pub files: BTreeMap<RemotePath, FileSpec>,
    /// What its servers stand on.
    pub ground: GroundSpec,
    /// Units, by name.
    pub units: BTreeMap<UnitName, UnitSpec>,
    /// How its hosts' ClickHouse is reached; none on hosts without a ClickHouse server.
    pub clickhouse: Option<ClickHouseSpec>,
    /// Questions to that server behind a restart, by name.
    pub gates: BTreeMap<String, SqlGate>,
    /// SQL files of `schema/`, included roles' first, each in order of path, with the role that owns it.
    pub schema: Vec<SchemaFile>,
    /// SQL files of `migrations/`, in the same order.
    pub migrations: Vec<SchemaFile>,
}

impl Role {
    /// A role that wants nothing, and includes none.
    #[must_use]
    pub fn empty(name: RoleName, placement: PlacementKind) -> Self {
        Self {
            name,
            description: String::new(),
            placement,
            host_cluster_role: None,
            include: Vec::new(),
            vars: Map::new(),
            directories: BTreeMap::new(),
            files: BTreeMap::new(),
            ground: GroundSpec::default(),
            units: BTreeMap::new(),
            clickhouse: None,
            gates: BTreeMap::new(),
            schema: Vec::new(),
            migrations: Vec::new(),
        }
    }
}

/// What a role's hosts keep; the inventory gives the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlacementKind {
    /// Shard and replica.
    Storage,
    /// Nothing.
    Stateless,
    /// A member of the coordination ensemble.
    Keeper,
}

/// A directory that the role wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySpec {
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// Variables of which one must be set for a host to have the directory; none: every host has it.
    pub only_with: Vec<String>,
}

/// A file that the role wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Path below `templates/`.
    pub template: String,
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// The unit that reads it; what a change costs that unit is computed.
    pub unit: Option<UnitName>,
    /// What is installed before the other files needs it.
    pub early: bool,
    /// A package brings one of its own, whose place it takes.
    pub over_package: bool,
    /// Variables of which one must be set for a host to have the file; none: every host has it.
    pub only_with: Vec<String>,
}

/// A unit that the role wants enabled and running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSpec {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs now.
    pub running: bool,
    /// Variables of which one must be set for a host to have the unit; none: every host has it.
    pub only_with: Vec<String>,
}

/// How the ClickHouse of a role's hosts is reached on the host itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickHouseSpec {
    /// The unit that it runs in.
    pub unit: UnitName,
    /// HTTP port on the host's loopback.
    pub http_port: u16,
    /// User that Housewright works as.
    pub user: String,
    /// Its password, by reference.
    pub password: Option<crate::secret::SecretRef>,
}

/// A question that a role's servers must answer with 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlGate {
    /// One `SELECT`.
    pub query: Statement,
    /// How long it may stay shut, where the role says so.
    pub limit: Option<Duration>,
    /// One line for people.
    pub description: String,
}

/// One SQL file of a role.
#[derive(Debug, Clone)]
pub struct SchemaFile {
    /// The role in whose directory it lies.
    pub role: RoleName,
    /// The text.
    pub source: Arc<Source>,
}
