//! Reads an inventory and roles from the disk and resolves them (edge): all problems at once, in order of place.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ConnectionDefaults, Doubts, Fleet, RoleName, in_order, resolve};
use crate::inventory::{self, Documents, Inventory, Node, vaulted};
use crate::problem::{Problem, Severity};
use crate::render::sql;
use crate::role::{self, Role};

/// What was read and what it means.
#[derive(Debug)]
pub struct Loaded {
    /// What the operator wrote.
    pub inventory: Inventory,
    /// What it means.
    pub fleet: Fleet,
    /// What is doubtful.
    pub notes: Vec<Problem>,
}

/// What was read, before it has a meaning: discovered hosts may still come to it.
#[derive(Debug)]
pub struct Read {
    /// The inventory's documents.
    pub documents: Documents,
    /// The roles that hosts can have.
    pub roles: BTreeMap<RoleName, Role>,
    /// What is wrong or doubtful so far.
    pub problems: Vec<Problem>,
    /// Whether every role could be read.
    pub all_roles: bool,
}

/// What everything means, as far as it can be told.
#[derive(Debug)]
pub struct Resolved {
    /// What the operator wrote.
    pub inventory: Inventory,
    /// What it means; without the hosts, roles and clusters that are wrong.
    pub fleet: Fleet,
    /// Every role, also those that no host has.
    pub roles: BTreeMap<RoleName, Role>,
    /// Everything that is wrong or doubtful, in order of place.
    pub problems: Vec<Problem>,
    /// Whether nothing is left out of the fleet: only then something can be called missing.
    pub is_whole: bool,
}

/// Reads the inventory and the roles, and the variables beside the roles; [`crate::discovery::discover`] may add to the
/// documents.
#[must_use]
pub fn read(inventory: &Path, roles: &Path) -> Read {
    let mut read = Read::of_inventory(inventory, roles.parent());
    let read_roles = role::load::read(roles, &mut read.problems);
    read.all_roles = read_roles.all;
    read.roles = read_roles.roles;
    read
}

/// Reads and resolves the fleet.
///
/// # Errors
/// Every problem and note, where there is at least one problem.
pub fn load(inventory: &Path, roles: &Path, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
    read(inventory, roles).resolve(defaults)
}

impl Read {
    /// Reads the inventory alone, with the variables of the project's directory where there is one.
    #[must_use]
    pub fn of_inventory(inventory: &Path, project: Option<&Path>) -> Self {
        let mut problems = Vec::new();
        let documents = inventory::load::read(&[inventory], project, &mut problems);
        Self { documents, roles: BTreeMap::new(), problems, all_roles: true }
    }

    /// Puts the inventory together; a discovery file that nobody asked EC2 about is a problem, not an empty answer.
    #[must_use]
    pub fn assemble(&mut self) -> Inventory {
        for file in &self.documents.discovery {
            let message = "this build cannot ask EC2, and the hosts of this file would be missing";
            let hint = "`--offline` reads the snapshot; a build with the feature `ec2` asks";
            self.problems.push(Problem::new("HW0124", message).at(&file.node.span).hint(hint));
        }
        for file in vaulted::closed(&mut self.documents) {
            self.problems
                .push(Problem::new("HW0131", "this file is vaulted, and nothing has opened it").at(&file.vault().span));
            file.forget();
        }
        Inventory::assemble(&self.documents, &mut self.problems)
    }

    /// Gives what was read its meaning.
    ///
    /// # Errors
    /// Every problem and note, where there is at least one problem.
    pub fn resolve(self, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
        let Resolved { inventory, fleet, problems, .. } = self.resolve_all(defaults);
        let stops = problems.iter().any(|problem| problem.severity == Severity::Problem);
        if stops { Err(problems) } else { Ok(Loaded { inventory, fleet, notes: problems }) }
    }

    /// Gives what was read its meaning as far as that goes.
    #[must_use]
    pub fn resolve_all(mut self, defaults: &ConnectionDefaults) -> Resolved {
        let inventory = self.assemble();
        let Self { mut roles, mut problems, all_roles, .. } = self;
        let doubts = Doubts { roles: !all_roles, ..Doubts::of_inventory(&problems) };
        let mut fleet = resolve(&inventory, &roles, defaults, &doubts, &mut problems);
        problems.extend(sql::fill(&mut fleet.roles, &fleet.hosts));
        sql::fill(&mut roles, &fleet.hosts);
        let written = inventory.var_of_all("clickhouse_clusters").and_then(Node::entries).unwrap_or_default();
        let is_whole =
            !doubts.any() && fleet.hosts.len() == inventory.hosts.len() && fleet.clusters.len() == written.len();
        Resolved { inventory, fleet, roles, problems: in_order(problems), is_whole }
    }
}
