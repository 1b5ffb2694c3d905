//! Reads an inventory and roles from the disk and resolves them (edge): all problems at once, in order of place.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ConnectionDefaults, Fleet, RoleName, in_order, resolve};
use crate::inventory::{self, Documents, Inventory, vaulted};
use crate::problem::{Problem, Severity};
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
}

/// Reads the inventory and the roles, and the variables beside the roles; [`crate::discovery::discover`] may add to the
/// documents.
#[must_use]
pub fn read(inventory: &Path, roles: &Path) -> Read {
    let mut read = Read::of_inventory(inventory, roles.parent());
    read.roles = role::load::read(roles, &mut read.problems);
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
        Self { documents, roles: BTreeMap::new(), problems }
    }

    /// Puts the inventory together; a discovery file that nobody asked EC2 about is a problem, not an empty answer.
    #[must_use]
    pub fn assemble(&mut self) -> Inventory {
        for node in &self.documents.discovery {
            let message = "this run does not ask EC2, and the hosts of this file would be missing";
            let hint = "move the file out of the inventory, or write its hosts down";
            self.problems.push(Problem::new("HW0124", message).at(&node.span).hint(hint));
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
    pub fn resolve(mut self, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
        let inventory = self.assemble();
        let Self { roles, mut problems, .. } = self;
        // What could not be read would only look like missing groups and roles.
        if problems.iter().any(|problem| problem.severity == Severity::Problem && unread(problem.code)) {
            return Err(in_order(problems));
        }
        let fleet = resolve(&inventory, &roles, defaults, &mut problems);
        let problems = in_order(problems);
        let stops = problems.iter().any(|problem| problem.severity == Severity::Problem);
        if stops { Err(problems) } else { Ok(Loaded { inventory, fleet, notes: problems }) }
    }
}

fn unread(code: &str) -> bool {
    matches!(
        code,
        "HW0101"
            | "HW0102"
            | "HW0103"
            | "HW0104"
            | "HW0114"
            | "HW0120"
            | "HW0124"
            | "HW0136"
            | "HW0137"
            | "HW0138"
            | "HW0130"
            | "HW0131"
            | "HW0132"
            | "HW0133"
            | "HW0135"
    ) || code.starts_with("HW02")
}
