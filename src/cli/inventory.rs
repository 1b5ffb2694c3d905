//! `housewright inventory`: the hosts that the inventory means (edge).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::fleet::{Fleet, Host, HostName, Placement, Reach};
use crate::report::hosts::count;
use crate::secret::{look, mask_markers};

/// Options of `inventory`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// All variables of one host, after merging
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = Project::load(global)?;
    output::notes(&project.notes);
    let fleet = &project.fleet;
    if let Some(name) = &options.host {
        let host = HostName::new(name.clone()).ok().and_then(|name| fleet.hosts.get(&name)).ok_or_else(|| {
            let hint = crate::problem::near_name(name, fleet.hosts.keys().map(HostName::as_str));
            CommandError::Other { message: format!("the inventory has no host `{name}`"), hint }
        })?;
        let vars = look::hide(&json!(host.vars));
        let text = serde_yaml::to_string(&vars).unwrap_or_default();
        match global.output {
            Form::Text => output::result(&mask_markers(&text)),
            Form::Json => output::result(&mask_markers(&format!("{vars:#}\n"))),
        }
        return Ok(Exit::Success);
    }
    let chosen = project.named(global)?;
    let hosts: Vec<&Host> = fleet.hosts.values().filter(|host| chosen.contains(&host.name)).collect();
    match global.output {
        Form::Text => output::result(&tree(fleet, &hosts)),
        Form::Json => {
            output::json(&hosts.iter().map(|host| (host.name.as_str(), describe(host))).collect::<BTreeMap<_, _>>());
        }
    }
    Ok(Exit::Success)
}

fn place(host: &Host) -> String {
    match &host.placement {
        Placement::Storage { shard, replica } => format!("shard {shard} replica {replica}"),
        Placement::Stateless => "stateless".to_owned(),
        Placement::Keeper { id } => format!("keeper {id}"),
    }
}

fn address(host: &Host) -> String {
    match &host.reach {
        Reach::Ssh(connection) => format!("{}@{}:{}", connection.user, connection.address, connection.port),
        Reach::Member => "a member only: somebody else runs it".to_owned(),
    }
}

/// Roles with their hosts, then clusters with their shards.
fn tree(fleet: &Fleet, hosts: &[&Host]) -> String {
    let mut out = String::new();
    for (name, role) in &fleet.roles {
        let of_role: Vec<_> = hosts.iter().filter(|host| host.role == *name).collect();
        if of_role.is_empty() {
            continue;
        }
        let macro_value = role.host_cluster_role.as_deref().unwrap_or_default();
        let hosts = count(of_role.len(), "host");
        let _ = writeln!(out, "role {name} (hostClusterRole {macro_value}, {hosts}): {}", role.description);
        for host in of_role {
            let zone = host.zone.as_ref().map(|zone| format!("  {zone}")).unwrap_or_default();
            let _ = writeln!(out, "  {:24} {:20} {}{zone}", host.name, place(host), address(host));
        }
    }
    for (name, cluster) in &fleet.clusters {
        let replicas: usize = cluster.shards.iter().map(|shard| shard.members.len()).sum();
        let (shards, replicas) = (count(cluster.shards.len(), "shard"), count(replicas, "replica"));
        let _ = writeln!(out, "cluster {name}: {shards}, {replicas}");
    }
    out
}

fn describe(host: &Host) -> serde_json::Value {
    json!({ "role": host.role, "place": place(host), "address": address(host), "fqdn": host.fqdn, "zone": host.zone })
}
