//! A host's variables: values that many hosts have are in memory once (pure).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// All variables of a host, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vars(BTreeMap<String, Arc<Value>>);

impl Vars {
    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(Arc::as_ref)
    }

    /// Sets a variable; the value may be shared with other hosts.
    pub fn insert(&mut self, name: String, value: Arc<Value>) {
        self.0.insert(name, value);
    }

    /// The names in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The values in order of name.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.values().map(Arc::as_ref)
    }
}

impl From<Map<String, Value>> for Vars {
    fn from(vars: Map<String, Value>) -> Self {
        Self(vars.into_iter().map(|(name, value)| (name, Arc::new(value))).collect())
    }
}

impl Serialize for Vars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value.as_ref())))
    }
}
