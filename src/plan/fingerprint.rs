//! Keyed digests of all that a plan was made from, host by host: what moved is told without telling what it is (pure).
//!
//! Nothing that changes by itself is in them: no uptime, no delay, no count of rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Inputs, Plan};
use crate::fleet::HostName;
use crate::ground::Ground;
use crate::migration::{Migration, MigrationRecord};
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, HostFacts, Identity, KeeperFacts, ObservedUnit};
use crate::schema::Object;
use crate::secret::keyed::{DigestKey, Keyed};

/// The digests of a plan; those of two plans are compared only where their keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Names the key.
    pub key: Keyed,
    /// Of the inventory's, the roles' and the templates' files.
    pub inputs: BTreeMap<String, Keyed>,
    /// Of the values of the secrets that are in files of hosts in the plan, by reference.
    pub secrets: BTreeMap<String, Keyed>,
    /// Of the hosts that the plan changes.
    pub hosts: BTreeMap<HostName, HostFingerprint>,
}

/// The digests of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFingerprint {
    /// What should be there, secrets with their values.
    pub desired: Keyed,
    /// Files and directories that are there.
    pub files: Keyed,
    /// Units and what they owe, and what they stand on.
    pub units: Keyed,
    /// What its servers tell of themselves: version, macros, clusters; whether they serve.
    pub servers: Keyed,
    /// The objects of its role that are there, and which migrations are on record.
    pub objects: Keyed,
}

impl Fingerprints {
    /// Takes the fingerprints of a plan and what it was made from; `inputs` are those of the files that were read.
    #[must_use]
    pub fn of(plan: &Plan, from: &Inputs<'_>, inputs: BTreeMap<String, Keyed>, key: &DigestKey) -> Self {
        let (mut secrets, mut hosts) = (BTreeMap::new(), BTreeMap::new());
        for name in plan.changed_hosts() {
            let (Some(desired), Some(facts)) = (from.desired.get(name), from.observation.facts(name)) else { continue };
            for (reference, value) in desired.files.values().flat_map(|file| file.content.values()) {
                let digest = || key.digest("a secret", &[value.expose().as_bytes()]);
                secrets.entry(reference.to_string()).or_insert_with(digest);
            }
            let role = from.fleet.hosts.get(name).map(|host| &host.role);
            let objects = role.and_then(|role| from.objects.get(role)).map(Vec::as_slice).unwrap_or_default();
            let migrations = role.and_then(|role| from.migrations.get(role)).map(Vec::as_slice).unwrap_or_default();
            hosts.insert(name.clone(), HostFingerprint::of(desired, facts, (objects, migrations), key));
        }
        Self { key: key.id(), inputs, secrets, hosts }
    }
}

impl HostFingerprint {
    fn of(wanted: &Desired, facts: &HostFacts, (role, once): (&[Object], &[Migration]), key: &DigestKey) -> Self {
        let of = |what: &str, parts: &Parts| key.digest(what, &parts.all());
        Self {
            desired: of("what should be there", &desired(wanted, role, once)),
            files: of("files", &files(facts)),
            units: of("units", &units(facts, &wanted.ground)),
            servers: of("servers", &servers(facts)),
            objects: of("objects", &objects(facts, role)),
        }
    }
}

/// What a digest is made of, in order.
#[derive(Default)]
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn add(&mut self, part: impl Into<Vec<u8>>) {
        self.0.push(part.into());
    }

    fn entry(&mut self, path: &RemotePath, owner: &str, group: &str, mode: u32) {
        self.add(path.as_str());
        self.add(format!("{owner}:{group} {mode:o}"));
    }

    fn all(&self) -> Vec<&[u8]> {
        self.0.iter().map(Vec::as_slice).collect()
    }
}

fn desired(desired: &Desired, role: &[Object], migrations: &[Migration]) -> Parts {
    let mut parts = Parts::default();
    for (path, directory) in &desired.directories {
        parts.entry(path, &directory.owner, &directory.group, directory.mode);
    }
    for (path, file) in &desired.files {
        parts.entry(path, &file.owner, &file.group, file.mode);
        parts.add(format!("read by {:?}", file.unit));
        parts.add(file.content.bytes().expose().to_vec());
    }
    parts.add(format!("{:?}", desired.ground));
    for (unit, wanted) in &desired.units {
        parts.add(format!("{unit} {wanted:?}"));
    }
    for object in role {
        parts.add(object.statement.text());
    }
    for migration in migrations {
        parts.add(format!("{} {}", migration.id, migration.checksum));
    }
    parts
}

fn files(facts: &HostFacts) -> Parts {
    let mut parts = Parts::default();
    for (path, directory) in &facts.directories {
        parts.entry(path, &directory.owner, &directory.group, directory.mode);
    }
    // Users come and go without us.
    let identity = Identity::paths();
    let files = facts.files.iter().filter(|(path, _)| !identity.contains(path));
    for (path, file) in files.chain(&facts.config_tree) {
        parts.entry(path, &file.owner, &file.group, file.mode);
        match &file.content {
            Some(content) => parts.add(content.expose().to_vec()),
            None => parts.add("no regular file"),
        }
    }
    parts
}

fn units(facts: &HostFacts, ground: &Ground) -> Parts {
    let mut parts = Parts::default();
    for (name, unit) in &facts.units {
        let ObservedUnit { load, file_state, is_stale, .. } = unit;
        parts.add(format!("{name} {load} {file_state} {is_stale} {}", unit.is_running()));
    }
    for owed in &facts.owed {
        parts.add(owed.to_string());
    }
    for change in ground.diff(&facts.ground).changes {
        parts.add(change.to_string());
    }
    parts
}

fn servers(facts: &HostFacts) -> Parts {
    let mut parts = Parts::default();
    match &facts.clickhouse {
        ClickHouseFacts::NotAsked => {}
        ClickHouseFacts::Down { .. } => parts.add("ClickHouse is down"),
        ClickHouseFacts::Up { server, .. } => {
            parts.add(format!("{} {:?}", server.version, server.clusters));
            parts
                .0
                .extend(server.macros.iter().flat_map(|(name, value)| [name, value]).map(|text| text.clone().into()));
        }
    }
    match &facts.keeper {
        KeeperFacts::NotAsked => {}
        KeeperFacts::Down { .. } => parts.add("the keeper is down"),
        KeeperFacts::Up { .. } => parts.add("the keeper serves"),
    }
    parts
}

fn objects(facts: &HostFacts, role: &[Object]) -> Parts {
    let mut parts = Parts::default();
    let ClickHouseFacts::Up { objects, .. } = &facts.clickhouse else { return parts };
    for live in objects.iter().filter(|live| role.iter().any(|object| object.name == live.name)) {
        parts.add(format!("{:?}", live.name));
        parts.add(live.engine.as_str());
        parts.add(live.create_query.as_str());
    }
    for (id, record) in facts.migrations.iter().flatten() {
        let MigrationRecord { checksum, host, done, progress, attempt, .. } = record;
        parts.add(format!("{id} {checksum} {host} {done} {progress:?} {attempt}"));
    }
    parts
}
