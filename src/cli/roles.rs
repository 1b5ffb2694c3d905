//! The option `--role` of verbs that look at kinds of hosts (edge).

use std::collections::BTreeSet;

use super::Global;
use super::error::CommandError;
use super::project::Project;
use crate::fleet::{HostName, RoleName};
use crate::problem::near_name;

/// Which roles are looked at.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Roles {
    /// Only hosts of this role
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
}

impl Roles {
    /// The roles that are meant: all that hosts have where none is named.
    pub(super) fn chosen(&self, project: &Project) -> Result<BTreeSet<RoleName>, CommandError> {
        let known = &project.fleet.roles;
        if self.role.is_empty() {
            return Ok(known.keys().cloned().collect());
        }
        let find = |name: &String| {
            known.keys().find(|role| role.as_str() == name).cloned().ok_or_else(|| {
                let names: Vec<&str> = known.keys().map(RoleName::as_str).collect();
                let hint = near_name(name, names.iter().copied())
                    .unwrap_or_else(|| format!("the hosts' roles are {}", names.join(", ")));
                CommandError::hinted(format!("no host of the inventory has a role `{name}`"), hint)
            })
        };
        self.role.iter().map(find).collect()
    }

    /// The hosts of `--limit` that have one of the roles; none is an error, because it would look like success.
    pub(super) fn hosts(&self, project: &Project, global: &Global) -> Result<BTreeSet<HostName>, CommandError> {
        let roles = self.chosen(project)?;
        let mut hosts = project.chosen(global)?;
        hosts.retain(|name| project.fleet.hosts.get(name).is_some_and(|host| roles.contains(&host.role)));
        if hosts.is_empty() {
            return Err(CommandError::plain("no host is left of `--role` and `--limit`"));
        }
        Ok(hosts)
    }
}
