//! The variables of one host while it is resolved (pure): what it inherits is merged once for all hosts that inherit the same.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::expressions::{Evaluated, Failure};
use crate::fleet::HostName;
use crate::inventory::{Entry, InventoryHost, Layer, Node, Owner};

/// Entries by name.
pub(super) type Entries<'a> = BTreeMap<&'a str, &'a Entry>;

/// The variables of one host.
pub(super) struct HostVars<'a> {
    pub(super) name: &'a HostName,
    pub(super) written: &'a InventoryHost,
    /// From groups.
    pub(super) inherited: Rc<Entries<'a>>,
    /// Its own, and the values of its expressions; each wins over an inherited one.
    pub(super) own: Entries<'a>,
    /// Variables whose expressions have no value.
    pub(super) refused: BTreeMap<&'a str, &'a Failure>,
}

/// What groups give, by the places of the layers in memory.
#[derive(Default)]
pub(super) struct Merged<'a>(BTreeMap<Vec<usize>, Rc<Entries<'a>>>);

impl<'a> HostVars<'a> {
    /// The variables as written, with the values of expressions in their places.
    pub(super) fn new(
        name: &'a HostName,
        written: &'a InventoryHost,
        evaluated: &'a Evaluated,
        merged: &mut Merged<'a>,
    ) -> Self {
        let layers = written.layers.as_slice();
        let first_own = layers.iter().position(|layer| matches!(layer.owner, Owner::Host(_))).unwrap_or(layers.len());
        let (of_groups, of_host) = layers.split_at(first_own);
        let key = of_groups.iter().map(|layer| Arc::as_ptr(layer).addr()).collect();
        let inherited = Rc::clone(merged.0.entry(key).or_insert_with(|| Rc::new(merge(of_groups))));
        let (mut own, mut refused) = (merge(of_host), BTreeMap::new());
        for (variable, outcome) in evaluated.of(name) {
            match outcome {
                Ok(entry) => drop(own.insert(variable, entry)),
                Err(failure) => {
                    own.remove(variable.as_str());
                    refused.insert(variable.as_str(), failure.as_ref());
                }
            }
        }
        Self { name, written, inherited, own, refused }
    }

    /// The value that wins; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        let inherited = || self.inherited.get(name).filter(|_| !self.refused.contains_key(name));
        self.own.get(name).or_else(inherited).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// The text that wins.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.scalar_text()
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.inherited.keys().chain(self.own.keys()).copied()
    }
}

fn merge(layers: &[Arc<Layer>]) -> Entries<'_> {
    layers.iter().flat_map(|layer| &layer.vars).map(|(name, entry)| (name.as_str(), entry)).collect()
}
