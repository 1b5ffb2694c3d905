//! Converts each value that the operator wrote once, however many hosts inherit it (pure).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::fleet::{RoleName, Vars};
use crate::inventory::Entry;
use crate::role::Role;

/// What was converted so far.
#[derive(Default)]
pub(super) struct Shared {
    /// By the entry's place in memory: hosts inherit the very same entry.
    entries: BTreeMap<*const Entry, Arc<Value>>,
    roles: BTreeMap<RoleName, Vars>,
}

impl Shared {
    /// A variable's value.
    pub fn value(&mut self, entry: &Entry) -> Arc<Value> {
        Arc::clone(self.entries.entry(std::ptr::from_ref(entry)).or_insert_with(|| Arc::new(entry.value.to_json())))
    }

    /// A role's own variables.
    pub fn role(&mut self, role: &Role) -> Vars {
        self.roles.entry(role.name.clone()).or_insert_with(|| Vars::from(role.vars.clone())).clone()
    }
}
