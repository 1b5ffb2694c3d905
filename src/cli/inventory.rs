//! `housewright inventory`: the hosts that the inventory means, also in the forms of `ansible-inventory` (edge).

use std::collections::BTreeMap;

use serde_json::json;

use super::error::{Answer, CommandError, Exit};
use super::project::{self, Project};
use super::{Form, Global, output};
use crate::fleet::{Fleet, Host, HostName};
use crate::inventory::data::Data;
use crate::inventory::{Inventory, InventoryHost};
use crate::problem::near_name;
use crate::report::inventory as report;

/// Options of `inventory`.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct Options {
    /// All groups, hosts and variables, as `ansible-inventory --list` prints them: values as written, `{{ }}` unresolved
    #[arg(long)]
    list: bool,
    /// All variables of one host, as `ansible-inventory --host` prints them
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The tree of groups, with each host's role, shard and replica
    #[arg(long)]
    graph: bool,
    /// Where a value comes from: every definition with its place, the winner marked; a host alone lists its variables
    #[arg(long, value_name = "HOST[.VARIABLE[.KEY]]")]
    explain: Option<String>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if options.list {
        let (inventory, notes) = project::inventory(global)?;
        output::notes(&notes);
        let only = global.limit.as_ref().map(|limit| project::written(&inventory, limit)).transpose();
        let only = only.map_err(|problem| vec![problem])?;
        match global.output {
            Form::Yaml => output::plain(&inventory.tree(only.as_ref()).yaml()),
            _ => output::plain(&(inventory.list(only.as_ref()).source() + "\n")),
        }
    } else if let Some(name) = &options.host {
        let (inventory, notes) = project::inventory(global)?;
        output::notes(&notes);
        print(global, &found(&inventory, name)?.data());
    } else if options.graph {
        let (inventory, fleet) = with_fleet(global)?;
        let about = |name: &HostName| fleet.as_ref().and_then(|fleet| fleet.hosts.get(name)).map(report::about);
        output::result(&inventory.graph(&|name| about(name).unwrap_or_default()));
    } else if let Some(path) = &options.explain {
        explain(global, path)?;
    } else {
        let project = Project::load(global)?;
        output::notes(&project.notes);
        let chosen = project.named(global)?;
        let hosts: Vec<&Host> = project.fleet.hosts.values().filter(|host| chosen.contains(&host.name)).collect();
        let described = || hosts.iter().map(|host| (host.name.as_str(), describe(host))).collect::<BTreeMap<_, _>>();
        match global.output {
            Form::Text => output::result(&report::fleet(&project.fleet, &hosts)),
            form => output::data(form, &described()),
        }
    }
    Ok(Exit::Success)
}

fn print(global: &Global, data: &Data<'_>) {
    match global.output {
        Form::Yaml => output::result(&data.yaml()),
        _ => output::result(&(data.json() + "\n")),
    }
}

fn explain(global: &Global, path: &str) -> Result<(), CommandError> {
    let (inventory, fleet) = with_fleet(global)?;
    // Names of hosts hold dots: the longest beginning that is a host's name is meant.
    let dots = path.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
    let mut split = dots.into_iter().rev().map(|at| (&path[..at], &path[at + 1..]));
    let host_of = |name: &str| HostName::new(name).ok().and_then(|name| inventory.hosts.get_key_value(&name));
    if let Some((_, host)) = host_of(path) {
        output::result(&report::explain_all(host));
        return Ok(());
    }
    let Some((name, host, variable)) =
        split.find_map(|(name, variable)| host_of(name).map(|(name, host)| (name, host, variable)))
    else {
        let (name, _) = path.rsplit_once('.').unwrap_or((path, ""));
        return found(&inventory, name).map(drop);
    };
    let resolved = fleet.as_ref().and_then(|fleet| fleet.hosts.get(name));
    let role = resolved.and_then(|host| fleet.as_ref()?.role_of(host));
    let is_variable = |name: &str| host.var(name).is_some() || role.is_some_and(|role| role.vars.contains_key(name));
    let Some(path) = report::Path::find(variable, is_variable) else {
        let names = host.vars();
        let hint = near_name(variable, names.keys().copied())
            .unwrap_or_else(|| format!("`housewright inventory --explain {name}` lists its variables"));
        return Err(CommandError::hinted(format!("the host `{name}` has no variable `{variable}`"), &hint));
    };
    let of_role = role.and_then(|role| role.vars.get(path.variable));
    let value = resolved.and_then(|host| host.vars.get(path.variable));
    output::result(&report::explain(host, path, of_role, value));
    Ok(())
}

fn found<'a>(inventory: &'a Inventory, name: &str) -> Result<&'a InventoryHost, CommandError> {
    HostName::new(name).ok().and_then(|name| inventory.hosts.get(&name)).ok_or_else(|| CommandError::Other {
        message: format!("the inventory has no host `{name}`"),
        hint: near_name(name, inventory.hosts.keys().map(HostName::as_str)),
    })
}

/// The inventory, and the fleet where it is a fleet's: another one is shown without what a fleet's hosts are.
fn with_fleet(global: &Global) -> Result<(Inventory, Option<Fleet>), CommandError> {
    if let Ok(project) = Project::load(global) {
        output::notes(&project.notes);
        return Ok((project.inventory, Some(project.fleet)));
    }
    let (inventory, notes) = project::inventory(global)?;
    output::notes(&notes);
    output::say("the hosts' roles are not known: `housewright check` says why");
    Ok((inventory, None))
}

fn describe(host: &Host) -> serde_json::Value {
    json!({
        "role": host.role,
        "place": report::place(host),
        "address": report::address(host),
        "fqdn": host.fqdn,
        "zone": host.zone,
    })
}
