//! What could not be read (pure), so that nothing is called missing that may stand there.
//!
//! A file that cannot be read is one problem, whatever it would have said; without it hosts look as if they lacked a role, and
//! patterns as if they chose nobody.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::fleet::HostName;
use crate::inventory::{Inventory, InventoryHost};
use crate::problem::{Problem, Severity};

/// The parts of what the operator wrote that are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// An inventory file: there may be more hosts and groups.
    pub inventory: bool,
    /// A role: there may be more roles.
    pub roles: bool,
    /// Groups that may have more variables.
    pub groups: BTreeSet<String>,
    /// Hosts that may have more variables.
    pub hosts: BTreeSet<String>,
}

impl Doubts {
    /// Finds them by the problems of the readers of an inventory.
    #[must_use]
    pub fn of_inventory(problems: &[Problem]) -> Self {
        let mut doubts = Self::default();
        for problem in
            problems.iter().filter(|problem| problem.severity == Severity::Problem && is_unread(problem.code))
        {
            let path = problem.span.as_ref().map(|span| Path::new(span.source.name.as_str()));
            match path.and_then(variables_of) {
                Some(("group_vars", name)) => drop(doubts.groups.insert(name)),
                Some((_, name)) => drop(doubts.hosts.insert(name)),
                None => doubts.inventory = true,
            }
        }
        doubts
    }

    /// Whether a host may have variables that are not known.
    #[must_use]
    pub fn about(&self, inventory: &Inventory, name: &HostName, host: &InventoryHost) -> bool {
        if self.inventory || self.hosts.contains(name.as_str()) || self.groups.contains("all") {
            return true;
        }
        if self.groups.is_empty() {
            return false;
        }
        let (mut seen, mut open) = (BTreeSet::new(), host.groups.iter().collect::<Vec<_>>());
        while let Some(group) = open.pop() {
            if self.groups.contains(group) {
                return true;
            }
            if seen.insert(group) {
                open.extend(inventory.groups.get(group).into_iter().flat_map(|group| &group.parents));
            }
        }
        false
    }

    /// Whether there are any.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// Codes of files that were not read, or only in part.
fn is_unread(code: &str) -> bool {
    let codes = ["HW0101", "HW0102", "HW0103", "HW0104", "HW0106", "HW0107", "HW0114", "HW0120", "HW0123", "HW0124"];
    // Vaults and INI files (HW013x), discovery (HW015x, HW016x).
    codes.contains(&code) || ["HW013", "HW015", "HW016"].iter().any(|series| code.starts_with(series))
}

/// Whose variables a file holds: the first name below the last `group_vars/` or `host_vars/` of its path.
fn variables_of(path: &Path) -> Option<(&str, String)> {
    let parts: Vec<&str> = path
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    let at = parts.iter().rposition(|part| matches!(*part, "group_vars" | "host_vars"))?;
    let name = *parts.get(at + 1)?;
    let is_file = at + 2 == parts.len();
    let stem = name.rsplit_once('.').filter(|(_, end)| is_file && matches!(*end, "yml" | "yaml" | "json"));
    Some((*parts.get(at)?, stem.map_or(name, |(stem, _)| stem).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_variables_is_its_groups_or_hosts() {
        let whose = |path: &str| variables_of(Path::new(path)).map(|(kind, name)| format!("{kind} {name}"));
        assert_eq!(whose("i/group_vars/data.yml").as_deref(), Some("group_vars data"));
        assert_eq!(whose("i/group_vars/data/a.yml").as_deref(), Some("group_vars data"));
        assert_eq!(whose("host_vars/h.example.com").as_deref(), Some("host_vars h.example.com"));
        assert_eq!(whose("i/hosts.yml"), None);
        assert_eq!(whose("i/group_vars"), None);
    }
}
