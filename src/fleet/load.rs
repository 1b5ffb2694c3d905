//! Reads an inventory and roles from the disk and resolves them (edge): all problems at once, in order of place.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ConnectionDefaults, Fleet, RoleName, in_order, resolve};
use crate::inventory::{self, Documents, Inventory, NodeValue};
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
    let mut problems = Vec::new();
    let documents = inventory::load::read(&[inventory], roles.parent(), &mut problems);
    let roles = role::load::read(roles, &mut problems);
    Read { documents, roles, problems }
}

/// Reads and resolves the fleet.
///
/// # Errors
/// Every problem and note, where there is at least one problem.
pub fn load(inventory: &Path, roles: &Path, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
    read(inventory, roles).resolve(defaults)
}

impl Read {
    /// Gives what was read its meaning; a discovery file that nobody asked EC2 about is a problem, not an empty answer.
    ///
    /// # Errors
    /// Every problem and note, where there is at least one problem.
    pub fn resolve(self, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
        let Self { mut documents, roles, mut problems } = self;
        for node in &documents.discovery {
            let message = "this run does not ask EC2, and the hosts of this file would be missing";
            let hint = "move the file out of the inventory, or write its hosts down";
            problems.push(Problem::new("HW0124", message).at(&node.span).hint(hint));
        }
        for node in inventory::vaulted::closed(&mut documents) {
            problems.push(Problem::new("HW0131", "this file is vaulted, and nothing has opened it").at(&node.span));
            node.value = NodeValue::Null;
        }
        let inventory = Inventory::assemble(&documents, &mut problems);
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
            | "HW0130"
            | "HW0131"
            | "HW0132"
            | "HW0133"
            | "HW0135"
    ) || code.starts_with("HW02")
}
