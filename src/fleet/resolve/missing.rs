//! Hosts that lack a variable that they need (pure): told once for all hosts that lack it alike.

use std::collections::{BTreeMap, BTreeSet};

use super::HostVars;
use crate::fleet::{Doubts, HostName, RoleName};
use crate::inventory::{Inventory, InventoryHost};
use crate::problem::Problem;
use crate::role::Role;

/// Names that one message holds; the others are counted.
const SHOWN: usize = 3;

/// What hosts have in common that lack the same thing: the variable, the role, the advice, their groups.
type Alike<'a> = (&'static str, Option<&'a RoleName>, String, &'a BTreeSet<String>);

/// What was found missing so far.
pub(super) struct Missing<'a> {
    inventory: &'a Inventory,
    doubts: &'a Doubts,
    found: BTreeMap<Alike<'a>, Vec<(&'a HostName, &'a InventoryHost)>>,
}

impl<'a> Missing<'a> {
    pub(super) fn new(inventory: &'a Inventory, doubts: &'a Doubts) -> Self {
        Self { inventory, doubts, found: BTreeMap::new() }
    }

    /// Whether a role may be missing only because it could not be read.
    pub(super) fn doubts_roles(&self) -> bool {
        self.doubts.roles
    }

    /// A host lacks a variable, unless it may stand in a file that could not be read.
    pub(super) fn add(&mut self, variable: &'static str, role: Option<&'a Role>, hint: String, vars: &HostVars<'a>) {
        if !self.doubts.about(self.inventory, vars.name, vars.written) {
            let alike = (variable, role.map(|role| &role.name), hint, &vars.written.groups);
            self.found.entry(alike).or_default().push((vars.name, vars.written));
        }
    }

    /// Makes one problem of all hosts that lack the same.
    pub(super) fn tell(self, problems: &mut Vec<Problem>) {
        for ((variable, role, hint, _), hosts) in self.found {
            let code = if role.is_some() { "HW0304" } else { "HW0301" };
            let role = role.map_or_else(String::new, |role| format!(" of role `{role}`"));
            let message = match hosts.as_slice() {
                [(name, _)] => format!("host `{name}`{role} has no `{variable}`"),
                many => {
                    let names = list(many.iter().map(|(name, _)| name.as_str()));
                    format!("{} hosts{role} have no `{variable}`: {names}", many.len())
                }
            };
            let problem = Problem::new(code, message).hint(hint);
            problems.push(match hosts.first() {
                Some((_, host)) => problem.at(&host.span),
                None => problem,
            });
        }
    }
}

/// Names some and counts the rest.
pub(super) fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let rest = names.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    if rest > 0 {
        return format!("{} and {rest} more", shown.join(", "));
    }
    let last = shown.pop().unwrap_or_default();
    if shown.is_empty() { last } else { format!("{} and {last}", shown.join(", ")) }
}
