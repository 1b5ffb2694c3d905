//! Reads an inventory and roles from the disk and resolves them (edge): all problems at once, in order of place.

use std::path::Path;

use super::{ConnectionDefaults, Fleet, in_order, resolve};
use crate::inventory::{self, Inventory};
use crate::problem::{Problem, Severity};
use crate::role;

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

/// Reads and resolves the fleet.
///
/// # Errors
/// Every problem and note, where there is at least one problem.
pub fn load(inventory: &Path, roles: &Path, defaults: &ConnectionDefaults) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let documents = inventory::load::read(inventory, &mut problems);
    let roles = role::load::read(roles, &mut problems);
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

fn unread(code: &str) -> bool {
    matches!(code, "HW0101" | "HW0102" | "HW0103" | "HW0104" | "HW0114") || code.starts_with("HW02")
}
