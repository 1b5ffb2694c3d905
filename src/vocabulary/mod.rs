//! What can be written: every key of every kind of document with its shape, meaning and default (pure).
//!
//! One table serves the readers, the JSON Schemas of `schema/` and the tables of `docs/vocabulary.md`, so that none of
//! them can say something else than the others.

mod clusters;
mod discovery;
mod document;
mod fit;
mod hooks;
mod inventory;
mod json_schema;
mod role;
mod rollout;
mod server;
mod shape;
mod variables;

pub use clusters::{CLUSTER, MEMBER};
pub use discovery::{EC2_FILE, EC2_NOT_READ, HOST_NAME, KEYED_GROUP, PLACEMENT_TAGS, share};
pub use document::DocumentKind;
pub use fit::Misfit;
pub use hooks::{GATE, HOOK, LONGEST_HOOK, TRAFFIC_HOOKS};
pub use inventory::GROUP;
pub use json_schema::json_schema;
pub use role::{CLICKHOUSE, DIRECTORY, FILE, ROLE, UNIT};
pub use rollout::ROLLOUT;
pub use server::{DISK, INTERSERVER, POLICY, TLS, USER, VOLUME};
pub use shape::{Choice, Defined, Key, Need, Others, Record, Shape};
pub use variables::{Checked, Section, VARIABLES, variable};
