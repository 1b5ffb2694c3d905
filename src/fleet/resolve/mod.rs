//! Gives what the operator wrote its meaning (pure): roles, placements, connections and clusters, all problems at once.

mod clusters;
mod connection;
mod expressions;
mod hooks;
mod host_vars;
mod http;
mod lint;
mod members;
mod missing;
mod placement;
mod plain_secrets;
mod servers;
mod shared;
mod ssh_args;
mod vocabulary;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

pub use connection::ConnectionDefaults;
use expressions::Evaluated;
use host_vars::{HostVars, Merged};
use missing::Missing;
use shared::Shared;
pub(crate) use ssh_args::words;

use super::{Doubts, Fleet, Host, HostName, Placement, ROLLOUT, Reach, RoleName, RolloutDefaults, Vars};
use crate::inventory::{Inventory, Node};
use crate::problem::{Problem, Severity, near_name};
use crate::role::Role;

/// Resolves and validates the whole; problems and notes are added to `problems`.
///
/// Where there is a problem, the fleet lacks what is wrong: it may be checked further, never acted on. Nothing is called
/// missing that may stand where `doubts` are.
#[must_use]
pub fn resolve(
    inventory: &Inventory,
    roles: &BTreeMap<RoleName, Role>,
    defaults: &ConnectionDefaults,
    doubts: &Doubts,
    problems: &mut Vec<Problem>,
) -> Fleet {
    // Where something is wrong already, that is why.
    if doubts.inventory {
        problems.retain(|problem| problem.code != "HW0116");
    }
    if inventory.hosts.is_empty() && !problems.iter().any(|problem| problem.severity == Severity::Problem) {
        problems.push(Problem::new("HW0122", "the inventory has no hosts"));
    }
    vocabulary::check(inventory, roles, problems);
    plain_secrets::check(inventory, problems);
    let evaluated = Evaluated::new(inventory, roles);
    vocabulary::check_values(&evaluated, problems);
    problems.extend(evaluated.problems(vocabulary::is_read));
    let mut fleet = Fleet::default();
    let (mut shared, mut merged) = (Shared::default(), Merged::default());
    let mut missing = Missing::new(inventory, doubts);
    let by_value: BTreeMap<&str, &Role> =
        roles.values().filter_map(|role| Some((role.host_cluster_role.as_deref()?, role))).collect();
    for (name, written) in &inventory.hosts {
        let vars = HostVars::new(name, written, &evaluated, &mut merged);
        if let Some(host) = host(&vars, &by_value, defaults, &mut shared, &mut missing, problems) {
            fleet.hosts.insert(name.clone(), host);
        }
    }
    missing.tell(problems);
    let used: BTreeSet<&RoleName> = fleet.hosts.values().map(|host| &host.role).collect();
    fleet.roles =
        roles.iter().filter(|(name, _)| used.contains(name)).map(|(name, role)| (name.clone(), role.clone())).collect();
    fleet.network_namespace = network_namespace(inventory, &evaluated, doubts, problems);
    fleet.rollout = rollout(inventory, &evaluated, problems);
    let before = problems.len();
    fleet.clusters = clusters::resolve(inventory, &evaluated, &fleet.hosts, problems);
    if doubts.inventory {
        // A cluster without hosts, or a pattern that chooses nobody, may have some in what was not read.
        let mut found = problems.split_off(before);
        found.retain(|problem| !matches!(problem.code, "HW0118" | "HW0318"));
        problems.extend(found);
    }
    lint::check(inventory, &fleet, doubts, problems);
    hooks::check(inventory, &fleet, problems);
    volumes::check(inventory, &fleet, problems);
    if !doubts.inventory {
        servers::check(inventory, &fleet, problems);
    }
    fleet
}

fn host<'a>(
    vars: &HostVars<'a>,
    roles: &BTreeMap<&str, &'a Role>,
    defaults: &ConnectionDefaults,
    shared: &mut Shared<'a>,
    missing: &mut Missing<'a>,
    problems: &mut Vec<Problem>,
) -> Option<Host> {
    let role = role(vars, roles, missing, problems);
    let address = vars.text("ansible_host").unwrap_or_else(|| vars.name.to_string());
    // A user before the address is for ssh alone.
    let address = address.rsplit_once('@').map_or(address.as_str(), |(_, address)| address);
    let fqdn = vars.text("fqdn").unwrap_or_else(|| address.to_owned());
    let reach = match vars.text("housewright_reach").as_deref() {
        Some("member") => Reach::Member,
        Some("http") => Reach::Http(http::resolve(vars, &fqdn, defaults)),
        _ => Reach::Ssh(connection::resolve(vars, defaults, problems)),
    };
    let role = role?;
    let placement = placement::resolve(vars, role, missing, problems)?;
    let mut all = Vars::inheriting(shared.inherited(role, &vars.inherited));
    for (name, entry) in &vars.own {
        all.insert((*name).to_owned(), shared.value(entry));
    }
    for (name, failure) in &vars.refused {
        all.refuse((*name).to_owned(), failure.problem(name, ""));
    }
    Some(Host {
        name: vars.name.clone(),
        role: role.name.clone(),
        placement,
        fqdn,
        zone: vars.text("zone"),
        reach,
        vars: all,
    })
}

fn role<'a>(
    vars: &HostVars<'a>,
    roles: &BTreeMap<&str, &'a Role>,
    missing: &mut Missing<'a>,
    problems: &mut Vec<Problem>,
) -> Option<&'a Role> {
    let known = || roles.keys().copied();
    let listed = || known().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    // Its expression is a problem of its own.
    if vars.refused.contains_key("hostClusterRole") {
        return None;
    }
    let Some(node) = vars.get("hostClusterRole") else {
        let near = vars.names().find(|name| near_name(name, ["hostClusterRole"]).is_some());
        let hint = match near {
            Some(near) => format!("did you mean `hostClusterRole` where you wrote `{near}`?"),
            None => format!("say in `group_vars/` what its group is: one of {}", listed()),
        };
        missing.add("hostClusterRole", None, hint, vars);
        return None;
    };
    let value = node.scalar_text()?;
    let role = roles.get(value.as_str()).copied();
    if role.is_none() && !missing.doubts_roles() {
        let mut problem = Problem::new("HW0302", format!("no role has the hostClusterRole `{value}`")).at(&node.span);
        problem.hint = near_name(&value, known()).or_else(|| Some(format!("the roles have {}", listed())));
        problems.push(problem);
    }
    role
}

/// All connections of a run come from one process, which is in one namespace.
fn network_namespace(
    inventory: &Inventory,
    evaluated: &Evaluated,
    doubts: &Doubts,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let mut named = inventory.hosts.iter().map(|(name, host)| {
        let node = match evaluated.get(name, "network_namespace") {
            Some(outcome) => outcome.as_ref().ok().map(|entry| &entry.value),
            None => host.var("network_namespace").map(|entry| &entry.value),
        };
        (name, host, node.and_then(Node::scalar_text))
    });
    let (first, _, namespace) = named.next()?;
    let differs = named.find(|(_, _, other)| *other != namespace).filter(|_| !doubts.any());
    if let Some((other, host, _)) = differs {
        let message = format!("the hosts `{first}` and `{other}` have different values of `network_namespace`");
        let span = host.var("network_namespace").map_or(&host.span, |entry| &entry.value.span);
        let hint = "one run works in one network namespace: say it once, in `group_vars/all.yml`";
        problems.push(Problem::new("HW0315", message).at(span).hint(hint));
    }
    namespace
}

/// The group `all` says how runs go: a run is about many hosts.
fn rollout(inventory: &Inventory, evaluated: &Evaluated, problems: &mut Vec<Problem>) -> RolloutDefaults {
    let written = match evaluated.of_all(ROLLOUT) {
        Some(Ok(entry)) => Some(&entry.value),
        Some(Err(failure)) => {
            problems.push(failure.problem(ROLLOUT, ""));
            None
        }
        None => inventory.var_of_all(ROLLOUT),
    };
    written.map(|node| RolloutDefaults::read(&node.to_json())).unwrap_or_default()
}

/// Where a variable of a host was written, else the host itself.
pub(crate) fn place<'a>(inventory: &'a Inventory, host: &HostName, variable: &str) -> Option<&'a crate::problem::Span> {
    let host = inventory.hosts.get(host)?;
    Some(host.var(variable).map_or(&host.span, |entry| &entry.value.span))
}

/// Tells the number of a placement, for an error text.
fn shard_of(placement: &Placement) -> Option<(u32, &str)> {
    match placement {
        Placement::Storage { shard, replica } => Some((*shard, replica)),
        Placement::Stateless | Placement::Keeper { .. } => None,
    }
}

/// Orders replicas as people count: by number where they are numbers.
fn replica_order(replica: &str) -> (u64, &str) {
    (replica.parse().unwrap_or(u64::MAX), replica)
}

/// Sorts by file and place; the same finding at the same place is kept once.
#[must_use]
pub fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| key(a).cmp(&key(b)));
    problems.dedup();
    problems
}

fn key(problem: &Problem) -> (Option<(&str, usize)>, &str, &str) {
    let place = problem.span.as_ref().map(|span| (span.source.name.as_str(), span.range.start));
    (place, problem.code, &problem.message)
}
