//! Checks of what servers' configuration is made of, where one variable must fit another (pure).
//!
//! Each is something that the server only says when it starts, or never. Each place is told once, however many hosts inherit it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place;
use crate::fleet::{DEFAULT_DISK, Fleet, Host, Placement, STORAGE, Storage};

use crate::inventory::Inventory;
use crate::problem::{Problem, near_name};
use crate::resource::GENERATION;
use crate::secret::MARKER_START;

/// Variables that open a port which needs a certificate.
const TLS_PORTS: [&str; 3] =
    ["clickhouse_https_port", "clickhouse_tcp_port_secure", "clickhouse_interserver_https_port"];
const MACROS: &str = "clickhouse_macros";
/// Variables whose values the server reads with `from_env` where they say so.
const CONFIGURED: [&str; 8] = [
    "clickhouse_disks",
    "clickhouse_interserver_credentials",
    "clickhouse_kafka",
    MACROS,
    "clickhouse_named_collections",
    "clickhouse_profiles",
    "clickhouse_settings",
    "clickhouse_users",
];

/// Checks every host that has a ClickHouse server.
pub(super) fn check(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    let mut told = BTreeSet::new();
    let servers = fleet.hosts.values().filter(|host| !matches!(host.placement, Placement::Keeper { .. }));
    for host in servers {
        let found = [cluster(fleet, host), generation(host), ports(host), disks(host), environment(host)];
        for (variable, problem) in found.into_iter().flatten() {
            let problem = match place(inventory, &host.name, variable) {
                Some(span) => problem.at(span),
                None => problem,
            };
            if told.insert((problem.code, problem.to_string())) {
                problems.push(problem);
            }
        }
    }
}

/// A problem and the variable that it is about.
type Found = Option<(&'static str, Problem)>;

fn text<'h>(host: &'h Host, name: &str) -> Option<&'h str> {
    host.vars.get(name).and_then(Value::as_str)
}

fn map<'h>(host: &'h Host, name: &str) -> impl Iterator<Item = (&'h String, &'h Value)> {
    host.vars.get(name).and_then(Value::as_object).into_iter().flatten()
}

/// A macro `cluster` that names no cluster, or one that the host is not in, breaks every statement that uses it.
fn cluster(fleet: &Fleet, host: &Host) -> Found {
    let name = text(host, "clickhouse_cluster")?;
    let found = fleet.clusters.values().find(|cluster| cluster.name.as_str() == name);
    let mut members = found.into_iter().flat_map(|cluster| &cluster.shards).flat_map(|shard| &shard.members);
    let problem = match found {
        Some(_) if members.any(|member| member.host == host.fqdn) => return None,
        Some(_) => {
            Problem::new("HW0540", format!("`clickhouse_cluster` is `{name}`, which has not the host `{}`", host.name))
        }
        None => {
            let names = fleet.clusters.keys().map(crate::fleet::ClusterName::as_str);
            let mut problem =
                Problem::new("HW0540", format!("`clickhouse_cluster` is `{name}`, but no cluster is called so"));
            problem.hint = near_name(name, names);
            problem
        }
    };
    Some(("clickhouse_cluster", problem))
}

/// The macro by which a server tells what it has read is not anybody's to set.
fn generation(host: &Host) -> Found {
    map(host, MACROS).find(|(name, _)| name.as_str() == GENERATION)?;
    let message = format!("the macro `{GENERATION}` is Housewright's: it says which configuration a server has read");
    Some((MACROS, Problem::new("HW0544", message).hint("give the macro another name")))
}

/// The server does not start on such a port: it has no certificate.
fn ports(host: &Host) -> Found {
    let has_certificate = map(host, "clickhouse_tls").next().is_some();
    let port = TLS_PORTS.into_iter().find(|name| host.vars.get(name).is_some_and(|port| !port.is_null()))?;
    let message = format!("`{port}` needs a certificate, and `clickhouse_tls` names none");
    let hint = "add `clickhouse_tls: {certificate: /etc/clickhouse-server/server.crt, key: /etc/clickhouse-server/server.key}`";
    (!has_certificate).then(|| (port, Problem::new("HW0542", message).hint(hint)))
}

/// ClickHouse refuses a policy with an unknown disk at its next start, and until then every reload of its storage.
fn disks(host: &Host) -> Found {
    let storage = match Storage::of(&host.vars) {
        Ok(storage) => storage,
        Err(problem) => return Some((STORAGE, problem)),
    };
    if let Some(disk) = map(host, "clickhouse_disks").find(|(_, disk)| has_open_key(disk)) {
        let message = format!("the disk `{}` has its secret key in the open", disk.0);
        let hint =
            "refer to it: `secret_access_key: {from_secret: env:S3_KEY}`, or `use_environment_credentials: true`";
        return Some(("clickhouse_disks", Problem::new("HW0547", message).hint(hint)));
    }
    let known: BTreeSet<&str> = storage.disks.keys().map(String::as_str).chain([DEFAULT_DISK]).collect();
    for (policy, value) in map(host, "clickhouse_storage_policies") {
        let volumes = value.get("volumes").and_then(Value::as_array).into_iter().flatten();
        let disks = volumes.filter_map(|volume| volume.get("disks")?.as_array()).flatten().filter_map(Value::as_str);
        if let Some(disk) = disks.into_iter().find(|disk| !known.contains(disk)) {
            let message =
                format!("the storage policy `{policy}` has the disk `{disk}`, which is not in `clickhouse_disks`");
            let mut problem = Problem::new("HW0541", message);
            problem.hint = near_name(disk, known.iter().copied());
            return Some(("clickhouse_storage_policies", problem));
        }
    }
    None
}

/// Whether a disk's key to its object storage is a text that anybody can read.
fn has_open_key(disk: &Value) -> bool {
    let key = disk.get("secret_access_key").and_then(Value::as_str);
    key.is_some_and(|key| !key.is_empty() && !key.contains(MARKER_START))
}

/// The variable may come from elsewhere, such as a unit of one's own; without it the server does not start.
fn environment(host: &Host) -> Found {
    let known: BTreeSet<&str> = map(host, "clickhouse_environment").map(|(name, _)| name.as_str()).collect();
    for variable in CONFIGURED {
        let Some(missing) = host.vars.get(variable).and_then(|value| unknown_name(value, &known)) else { continue };
        let message = format!(
            "`{variable}` takes `{missing}` from the server's environment, and `clickhouse_environment` has it not"
        );
        let mut note = Problem::note("HW0543", message);
        note.hint = Some(match near_name(missing, known.iter().copied()) {
            Some(near) => near,
            None => format!(
                "add `clickhouse_environment: {{{missing}: {{from_secret: env:{missing}}}}}`, unless the unit sets it"
            ),
        });
        return Some((variable, note));
    }
    None
}

/// The first `@from_env` whose name is not known.
fn unknown_name<'v>(value: &'v Value, known: &BTreeSet<&str>) -> Option<&'v str> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| match (key.as_str(), value.as_str()) {
            ("@from_env", Some(name)) => (!known.contains(name)).then_some(name),
            _ => unknown_name(value, known),
        }),
        Value::Array(items) => items.iter().find_map(|item| unknown_name(item, known)),
        _ => None,
    }
}
