//! What can be written: every key of every kind of document with its shape, meaning and default (pure).
//!
//! One table serves the readers, the JSON Schemas of `schema/` and the tables of `docs/vocabulary.md`, so that none of
//! them can say something else than the others.

mod backup;
mod clusters;
mod discovery;
mod document;
mod fit;
mod ground;
mod hooks;
mod inventory;
mod json_schema;
mod kernel;
mod pods;
mod role;
mod rollout;
mod server;
mod shape;
mod variables;
mod volumes;

pub use backup::{BACKUP, BUCKET};
pub use clusters::{CLUSTER, MEMBER};
pub use discovery::{EC2_FILE, EC2_NOT_READ, HOST_NAME, KEYED_GROUP, PLACEMENT_TAGS, share};
pub use document::DocumentKind;
pub use fit::Misfit;
pub use ground::{APT, COMMAND, PACKAGE, SYSTEM_USER, YUM};
pub use hooks::{GATE, HOOK, LONGEST_HOOK, TRAFFIC_HOOKS};
pub use inventory::GROUP;
pub use json_schema::json_schema;
pub use kernel::KERNEL_FILE;
pub use pods::{HTTP, KUBERNETES};
pub use role::{CLICKHOUSE, DIRECTORY, FILE, ROLE, UNIT};
pub use rollout::ROLLOUT;
pub use server::{COORDINATION_NODE, DISK, INTERSERVER, POLICY, STORAGE, STORAGE_VOLUME, TLS, USER, VOLUME};
pub use shape::{Choice, Defined, Key, Need, Others, Record, Shape};
pub use variables::{Checked, Section, VARIABLES, variable};
pub use volumes::{DEVICES, RAID_VOLUME, size_kib};
