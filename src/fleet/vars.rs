//! A host's variables: values that many hosts have are in memory once (pure).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// All variables of a host, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vars {
    values: BTreeMap<String, Arc<Value>>,
    refused: BTreeMap<String, Arc<Problem>>,
}

impl Vars {
    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(Arc::as_ref)
    }

    /// Sets a variable; the value may be shared with other hosts.
    pub fn insert(&mut self, name: String, value: Arc<Value>) {
        self.values.insert(name, value);
    }

    /// Takes a variable away: its expression has no value, and who uses it is told why.
    pub fn refuse(&mut self, name: String, why: Problem) {
        self.values.remove(&name);
        self.refused.insert(name, Arc::new(why));
    }

    /// Why a variable that was written has no value.
    #[must_use]
    pub fn refused(&self, name: &str) -> Option<&Problem> {
        self.refused.get(name).map(Arc::as_ref)
    }

    /// The names of the variables that were written and have no value.
    pub fn refused_names(&self) -> impl Iterator<Item = &String> {
        self.refused.keys()
    }

    /// The names in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.values.keys()
    }

    /// The values in order of name.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.values().map(Arc::as_ref)
    }
}

impl From<Map<String, Value>> for Vars {
    fn from(vars: Map<String, Value>) -> Self {
        let values = vars.into_iter().map(|(name, value)| (name, Arc::new(value))).collect();
        Self { values, refused: BTreeMap::new() }
    }
}

impl Serialize for Vars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|(name, value)| (name, value.as_ref())))
    }
}
