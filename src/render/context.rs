//! What templates see: the host's variables, `host`, `derived`, `fleet`, `generation` and `managed_by` (pure).
//!
//! A template is given exactly the variables that it uses, and the same set makes the key of its cached result: what
//! is not in the key cannot be in the text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tera::Context;

use super::{backup, consumers, generation};
use crate::backup::{Assignment, assign};
use crate::fleet::{Cluster, Fleet, Host, Placement, RoleName, Storage, Vars};
use crate::problem::{Problem, near_name};
use crate::schema::{self, Object, Schema};

/// Where Raft members connect, unless `keeper_raft_port` says otherwise.
const KEEPER_RAFT_PORT: u64 = 9234;

/// The names that are not the inventory's.
pub(super) const OURS: [&str; 5] = ["derived", "fleet", "generation", "host", "managed_by"];

/// The part that is the same on every host, converted once; a clone shares it.
#[derive(Clone)]
pub(super) struct FleetContext {
    fleet: tera::Value,
    derived: Arc<BTreeMap<RoleName, Value>>,
    backups: Arc<Assignment>,
}

impl FleetContext {
    /// Converts the clusters and the keepers.
    pub(super) fn new(fleet: &Fleet) -> Self {
        let clusters: Vec<Value> = fleet.clusters.values().map(cluster).collect();
        let keepers: Vec<Value> = fleet.hosts.values().filter_map(keeper).collect();
        let objects = Schema::read(fleet).0.roles;
        let derived = objects.iter().map(|(name, objects)| (name.clone(), derived(objects))).collect();
        let backups = Arc::new(assign(fleet, &objects));
        let fleet = json!({ "clusters": clusters, "keepers": keepers });
        Self { fleet: tera::Value::from_serializable(&fleet), derived: Arc::new(derived), backups }
    }
}

/// What follows from a role's schema.
fn derived(objects: &[Object]) -> Value {
    let consumers = schema::consumers(objects);
    let pool = consumers::broker_pool(consumers);
    let settings =
        if consumers == 0 { json!({}) } else { json!({ "background_message_broker_schedule_pool_size": pool }) };
    json!({ "consumers": consumers, "settings": settings })
}

/// One host's part.
pub(super) struct HostContext<'a> {
    shared: FleetContext,
    vars: &'a Vars,
    host: Value,
    derived: Option<&'a Value>,
}

impl<'a> HostContext<'a> {
    /// Describes the host.
    pub(super) fn new(shared: &'a FleetContext, fleet: &Fleet, host: &'a Host) -> Self {
        let role = fleet.role_of(host);
        let mut about = describe(host, role.and_then(|role| role.host_cluster_role.as_deref()));
        let server = role.and_then(|role| role.clickhouse.as_ref());
        if let (Some(about), Some(backup)) = (about.as_object_mut(), backup::describe(host, server, &shared.backups)) {
            about.insert("backup".to_owned(), backup);
        }
        let derived = shared.derived.get(&host.role);
        // What does not fit together was told when the fleet was resolved.
        let storage = Storage::of(&host.vars).unwrap_or_default();
        if let (Some(about), false) = (about.as_object_mut(), storage.policies.is_empty() && storage.disks.is_empty()) {
            let storage = json!({ "disks": storage.disks, "policies": storage.policies });
            about.insert("storage".to_owned(), storage);
        }
        Self { shared: shared.clone(), vars: &host.vars, host: about, derived }
    }

    /// The name among the host's variables that is nearest to one that it has not.
    pub(super) fn near(&self, written: &str) -> Option<String> {
        near_name(written, self.vars.keys().map(String::as_str).chain(OURS))
    }

    /// A text that is equal on two hosts exactly where these variables are.
    pub(super) fn key(&self, variables: &BTreeSet<String>) -> String {
        let mut key = String::new();
        for name in variables {
            if let Some(value) = self.value(name) {
                key.push_str(name);
                key.push('=');
                key.push_str(&value.to_string());
                key.push('\n');
            } else if self.vars.refused(name).is_some() {
                key.push_str(name);
                key.push_str("!\n");
            }
        }
        key
    }

    /// The context for a template that uses these variables.
    pub(super) fn context(&self, template: &str, variables: &BTreeSet<String>) -> Result<Context, Problem> {
        let mut context = Context::new();
        for name in variables {
            if let Some(why) =
                self.vars.refused(name).filter(|_| self.value(name).is_none() && !OURS.contains(&name.as_str()))
            {
                let mut problem = why.clone();
                problem.message = format!("template `{template}` uses `{name}`: {}", problem.message);
                return Err(problem);
            }
            if let Some(value) = self.value(name) {
                context.insert(name.clone(), value);
            }
        }
        context.insert_value("fleet", self.shared.fleet.clone());
        context.insert("managed_by", &managed_by(template));
        context.insert("generation", &generation::MARKER);
        Ok(context)
    }

    /// The inventory's value; the names of [`OURS`] are not.
    fn value(&self, name: &str) -> Option<&Value> {
        match name {
            "host" => Some(&self.host),
            "derived" => self.derived,
            "fleet" | "generation" | "managed_by" => None,
            _ => self.vars.get(name),
        }
    }
}

/// The header of every file that Housewright writes.
fn managed_by(template: &str) -> String {
    format!("{MANAGED_BY}{template}: changes made here are overwritten.")
}

/// How the header begins, of all versions: files of those that kept no manifest are known by it.
const MANAGED_BY: &str = "Managed by Housewright from templates/";

/// Whether a file says that we wrote it; a header is near the beginning.
#[must_use]
pub fn is_ours_by_header(text: &[u8]) -> bool {
    const NEAR: usize = 1024;
    let beginning = text.get(..NEAR).unwrap_or(text);
    beginning.windows(MANAGED_BY.len()).any(|window| window == MANAGED_BY.as_bytes())
}

/// What templates see as `host`.
pub(super) fn describe(host: &Host, cluster_role: Option<&str>) -> Value {
    let mut about = json!({ "name": host.name, "fqdn": host.fqdn, "role": host.role });
    let mut add = |key: &str, value: Value| about.as_object_mut().and_then(|map| map.insert(key.to_owned(), value));
    if let Some(cluster_role) = cluster_role {
        add("hostClusterRole", cluster_role.into());
    }
    if let Some(zone) = &host.zone {
        add("zone", zone.as_str().into());
    }
    match &host.placement {
        Placement::Storage { shard, replica } => {
            add("placement", "storage".into());
            add("shard", (*shard).into());
            add("replica", replica.as_str().into());
        }
        Placement::Stateless => {
            add("placement", "stateless".into());
        }
        Placement::Keeper { id } => {
            add("placement", "keeper".into());
            add("keeper_id", (*id).into());
        }
    }
    about
}

fn cluster(cluster: &Cluster) -> Value {
    let shards: Vec<Value> = cluster
        .shards
        .iter()
        .map(|shard| {
            let members = shard.members.iter().map(|member| {
                json!({
                    "host": member.host,
                    "port": member.port,
                    "secure": member.secure,
                    "user": member.user,
                    "priority": member.priority,
                })
            });
            json!({ "members": members.collect::<Vec<_>>(), "weight": shard.weight })
        })
        .collect();
    json!({
        "name": cluster.name,
        "secret": cluster.secret.as_ref().map(crate::secret::SecretRef::marker),
        "internal_replication": cluster.internal_replication,
        "shards": shards,
    })
}

fn keeper(host: &Host) -> Option<Value> {
    let Placement::Keeper { id } = host.placement else { return None };
    let raft_port = host.vars.get("keeper_raft_port").and_then(Value::as_u64).unwrap_or(KEEPER_RAFT_PORT);
    Some(json!({
        "name": host.name,
        "fqdn": host.fqdn,
        "id": id,
        "port": host.keeper_port(),
        "raft_port": raft_port,
    }))
}
