//! How the hosts' objects differ from what their roles want, equal differences once (pure).
//!
//! Says what is, not what would be done: nothing here is planned, held or allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::check::COLLECTIONS;
use super::object::{DEFAULT_DATABASE, Object, ObjectName};
use super::observe::ObservedObject;
use super::operation::ObjectChange;
use super::{Records, diff};
use crate::fleet::{Fleet, Host, HostName, RoleName};

/// The database in which Housewright keeps its own tables on each host.
pub const OWN_DATABASE: &str = "housewright";

/// How one object differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Drifted {
    /// The role wants it and it is not there.
    Missing,
    /// It is there, and otherwise.
    Differs {
        /// Each thing that differs.
        why: Vec<String>,
    },
    /// It is there, and no role wants it.
    Unmanaged {
        /// Its engine; empty where it has none.
        engine: String,
    },
}

impl fmt::Display for Drifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Differs { .. } => "differs",
            Self::Unmanaged { .. } => "unmanaged",
        })
    }
}

/// One difference, and all hosts of the role that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectDrift {
    /// The hosts' role.
    pub role: RoleName,
    /// Which object.
    pub object: ObjectName,
    /// How it differs.
    #[serde(flatten)]
    pub drifted: Drifted,
    /// Where it is written, for what a role wants.
    pub written: Option<String>,
    /// On which hosts.
    pub hosts: Vec<HostName>,
}

/// What is equal on many hosts.
type Key<'a> = (&'a RoleName, Drifted, ObjectName);

/// Compares the live objects of hosts with what their roles want.
#[must_use]
pub fn drift(
    fleet: &Fleet,
    objects: &BTreeMap<RoleName, Vec<Object>>,
    live: &BTreeMap<HostName, Vec<ObservedObject>>,
) -> Vec<ObjectDrift> {
    let mut found: BTreeMap<Key<'_>, (Option<String>, Vec<HostName>)> = BTreeMap::new();
    for (name, live) in live {
        let Some(host) = fleet.hosts.get(name) else { continue };
        let desired = objects.get(&host.role).map(Vec::as_slice).unwrap_or_default();
        let mut add = |drifted: Drifted, object: &ObjectName, written: Option<String>| {
            let entry = found.entry((&host.role, drifted, object.clone())).or_insert((written, Vec::new()));
            entry.1.push(name.clone());
        };
        for change in diff(desired, live, &Records::new()) {
            let (object, drifted) = match &change {
                ObjectChange::Create(object) => (object, Drifted::Missing),
                ObjectChange::Alter { object, why, .. }
                | ObjectChange::Recreate { object, why }
                | ObjectChange::Held { object, why, .. } => {
                    (object, Drifted::Differs { why: why.iter().map(ToString::to_string).collect() })
                }
            };
            add(drifted, &object.name, Some(object.span.to_string()));
        }
        let wanted: BTreeSet<&ObjectName> = desired.iter().map(|object| &object.name).collect();
        for object in live.iter().filter(|object| !wanted.contains(&object.name)) {
            if !is_servers_or_ours(&object.name) && !is_configured(host, &object.name) {
                add(Drifted::Unmanaged { engine: object.engine.clone() }, &object.name, None);
            }
        }
    }
    let drift = |((role, drifted, object), (written, hosts)): (Key<'_>, _)| ObjectDrift {
        role: role.clone(),
        object,
        drifted,
        written,
        hosts,
    };
    found.into_iter().map(drift).collect()
}

/// A named collection that Housewright writes into the host's configuration.
pub(super) fn is_configured(host: &Host, object: &ObjectName) -> bool {
    let configured = host.vars.get(COLLECTIONS).and_then(serde_json::Value::as_object);
    matches!(object, ObjectName::Collection(name) if configured.is_some_and(|known| known.contains_key(name)))
}

/// Databases that every server has, and Housewright's own with all that is in it.
pub(super) fn is_servers_or_ours(name: &ObjectName) -> bool {
    match name {
        ObjectName::Database(name) => [DEFAULT_DATABASE, OWN_DATABASE].contains(&name.as_str()),
        ObjectName::Relation { database, .. } => database == OWN_DATABASE,
        ObjectName::Function(_) | ObjectName::Collection(_) => false,
    }
}
