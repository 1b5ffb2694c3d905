//! Converts each value that the operator wrote once, however many hosts inherit it (pure).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::host_vars::Entries;
use crate::fleet::{RoleName, Values};
use crate::inventory::Entry;
use crate::role::Role;

/// What was converted so far.
#[derive(Default)]
pub(super) struct Shared<'a> {
    /// By the entry's place in memory: hosts inherit the very same entry.
    entries: BTreeMap<*const Entry, Arc<Value>>,
    /// By role and the place of the merged entries in memory, which are kept.
    inherited: BTreeMap<(RoleName, usize), (Rc<Entries<'a>>, Arc<Values>)>,
}

impl<'a> Shared<'a> {
    /// A variable's value.
    pub fn value(&mut self, entry: &Entry) -> Arc<Value> {
        Arc::clone(self.entries.entry(std::ptr::from_ref(entry)).or_insert_with(|| Arc::new(entry.value.to_json())))
    }

    /// The variables of a role, and over them those of groups.
    pub fn inherited(&mut self, role: &Role, entries: &Rc<Entries<'a>>) -> Arc<Values> {
        let key = (role.name.clone(), Rc::as_ptr(entries).addr());
        if let Some((_, values)) = self.inherited.get(&key) {
            return Arc::clone(values);
        }
        let mut values: Values =
            role.vars.iter().map(|(name, value)| (name.clone(), Arc::new(value.clone()))).collect();
        for (name, entry) in entries.iter() {
            values.insert((*name).to_owned(), self.value(entry));
        }
        let values = Arc::new(values);
        self.inherited.insert(key, (Rc::clone(entries), Arc::clone(&values)));
        values
    }
}
