//! A host's variables (pure): what many hosts inherit alike is in memory once, names and values both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// Values by name.
pub type Values = BTreeMap<String, Arc<Value>>;

/// All variables of a host, by name.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    /// Those of its role and groups, shared with the hosts that have the same.
    inherited: Arc<Values>,
    /// Those that are its own; each wins over an inherited one.
    own: Values,
    refused: BTreeMap<String, Arc<Problem>>,
}

impl Vars {
    /// Begins with what a host has from its role and groups.
    #[must_use]
    pub fn inheriting(inherited: Arc<Values>) -> Self {
        Self { inherited, ..Self::default() }
    }

    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let inherited = || self.inherited.get(name).filter(|_| !self.refused.contains_key(name));
        self.own.get(name).or_else(inherited).map(Arc::as_ref)
    }

    /// Sets a variable; the value may be shared with other hosts.
    pub fn insert(&mut self, name: String, value: Arc<Value>) {
        self.own.insert(name, value);
    }

    /// Takes a variable away: its expression has no value, and who uses it is told why.
    pub fn refuse(&mut self, name: String, why: Problem) {
        self.own.remove(&name);
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
        self.all().into_keys()
    }

    /// The values in order of name.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.all().into_values()
    }

    /// The values that no host with the same `seen` had: its own ones, and inherited ones once for all hosts that have the same.
    pub fn fresh_values<'a>(&'a self, seen: &mut Seen<'a>) -> impl Iterator<Item = &'a Value> {
        let hidden = |name: &str| self.own.contains_key(name) || self.refused.contains_key(name);
        let names = self.own.keys().chain(self.refused.keys());
        let hides: Vec<&str> = names.map(String::as_str).filter(|name| self.inherited.contains_key(*name)).collect();
        let is_new = seen.0.insert((Arc::as_ptr(&self.inherited).addr(), hides));
        let inherited = self.inherited.iter().filter(move |(name, _)| is_new && !hidden(name));
        self.own.values().chain(inherited.map(|(_, value)| value)).map(Arc::as_ref)
    }

    fn all(&self) -> BTreeMap<&String, &Value> {
        let inherited = self.inherited.iter().filter(|(name, _)| !self.refused.contains_key(*name));
        inherited.chain(&self.own).map(|(name, value)| (name, value.as_ref())).collect()
    }
}

/// What was seen by [`Vars::fresh_values`]: sets of inherited values, each with the names that hosts hide.
#[derive(Debug, Default)]
pub struct Seen<'a>(BTreeSet<(usize, Vec<&'a str>)>);

impl PartialEq for Vars {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all() && self.refused == other.refused
    }
}

impl From<Map<String, Value>> for Vars {
    fn from(vars: Map<String, Value>) -> Self {
        Self::inheriting(Arc::new(vars.into_iter().map(|(name, value)| (name, Arc::new(value))).collect()))
    }
}

impl Serialize for Vars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(values: impl Iterator<Item = impl ToString>) -> String {
        values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn own_values_win_and_refused_ones_are_nowhere() {
        let inherited = json!({ "a": 1, "b": 2, "c": 3 });
        let shared = Vars::from(inherited.as_object().unwrap().clone());
        let mut host = shared.clone();
        host.insert("b".to_owned(), Arc::new(json!(20)));
        host.insert("d".to_owned(), Arc::new(json!(40)));
        host.refuse("c".to_owned(), Problem::new("HW0140", "why"));
        assert_eq!(text(host.keys()), "a b d");
        assert_eq!(text(host.values()), "1 20 40");
        assert_eq!((host.get("b"), host.get("c")), (Some(&json!(20)), None));
        assert_eq!(serde_json::to_value(&host).unwrap(), json!({ "a": 1, "b": 20, "d": 40 }));
        assert_ne!(host, shared);
        let mut seen = Seen::default();
        assert_eq!(text(host.fresh_values(&mut seen)), "20 40 1");
        assert_eq!(text(host.fresh_values(&mut seen)), "20 40", "hosts that hide the same see nothing new");
        assert_eq!(text(shared.fresh_values(&mut seen)), "1 2 3", "what the first hides counts for the second");
    }
}
