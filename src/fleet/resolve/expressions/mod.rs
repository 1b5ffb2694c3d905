//! Variables that refer to variables (pure): each text with braces gets its value in the scope of each host that has it.
//!
//! Ansible evaluates a variable when something uses it. So does this: a variable without a value is kept as a [`Failure`], which is a
//! problem only where Housewright, a template or another needed variable uses it.

mod failure;
mod references;
mod world;
mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use failure::Failure;
use failure::Failures;
use world::World;
pub(super) use written::holds_expression;

use crate::fleet::{HostName, RoleName};
use crate::inventory::{Entry, Inventory};
use crate::problem::Problem;
use crate::role::Role;

/// A variable with its value, as if it had been written so; or why it has none.
pub(super) type Outcome = Result<Arc<Entry>, Arc<Failure>>;

/// The variables that hold expressions, evaluated.
#[derive(Debug, Default)]
pub(super) struct Evaluated {
    hosts: BTreeMap<HostName, BTreeMap<String, Outcome>>,
    all: BTreeMap<String, Outcome>,
}

impl Evaluated {
    /// Evaluates every expression of every host, and those of the group `all` as far as no host is needed.
    pub fn new(inventory: &Inventory, roles: &BTreeMap<RoleName, Role>) -> Self {
        let Some(world) = World::new(inventory, roles) else { return Self::default() };
        let hosts = inventory.hosts.keys().enumerate();
        let hosts = hosts.map(|(index, name)| (name.clone(), world.outcomes(Some(index))));
        Self { hosts: hosts.filter(|(_, outcomes)| !outcomes.is_empty()).collect(), all: world.outcomes(None) }
    }

    /// The evaluated variables of a host.
    pub fn of(&self, host: &HostName) -> impl Iterator<Item = (&String, &Outcome)> {
        self.hosts.get(host).into_iter().flatten()
    }

    /// One evaluated variable of a host.
    pub fn get(&self, host: &HostName, name: &str) -> Option<&Outcome> {
        self.hosts.get(host)?.get(name)
    }

    /// One evaluated variable of the group `all`.
    pub fn of_all(&self, name: &str) -> Option<&Outcome> {
        self.all.get(name)
    }

    /// Every value once, however many hosts share it.
    pub fn values(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let outcomes = self.hosts.values().flatten().chain(&self.all);
        let values: BTreeMap<*const Entry, &Arc<Entry>> = outcomes
            .filter_map(|(_, outcome)| outcome.as_ref().ok())
            .map(|entry| (Arc::as_ptr(entry), entry))
            .collect();
        values.into_values()
    }

    /// The variables without a value that are needed: one problem for each place where one was written.
    pub fn problems(&self, is_needed: impl Fn(&str) -> bool) -> Vec<Problem> {
        let mut failures = Failures::default();
        for (host, outcomes) in &self.hosts {
            for (name, outcome) in outcomes.iter().filter(|(name, _)| is_needed(name)) {
                if let Err(failure) = outcome {
                    failures.add(name, Some(host), failure);
                }
            }
        }
        failures.into_problems()
    }
}
