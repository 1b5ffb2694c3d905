//! What is new, gone and changed between a snapshot and what EC2 lists now (pure): instances are told by their identity.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::DiscoveredHost;
use super::snapshot::Recorded;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// EC2 lists it, the snapshot does not have it.
    New,
    /// The snapshot has it, EC2 does not list it.
    Gone,
    /// The same instance differs.
    Changed(Vec<Changed>),
    /// Another instance has its name.
    Replaced {
        /// The instance that had it.
        by: String,
    },
    /// The same instance had another name.
    Renamed {
        /// The name that it had.
        from: String,
    },
}

/// A variable that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Its name, with dots where it is inside a mapping.
    pub variable: String,
    /// What the snapshot says.
    pub before: Value,
    /// What EC2 says.
    pub now: Value,
}

/// A host that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name.
    pub host: String,
    /// The instance that it is, or was.
    pub instance: String,
    /// Where it is, or was.
    pub region: String,
    /// What differs.
    pub difference: Difference,
}

/// Compares, in order of name.
#[must_use]
pub fn compare(before: &BTreeMap<String, Recorded>, now: &[DiscoveredHost]) -> Vec<Line> {
    let was: BTreeMap<&str, &str> =
        before.iter().filter_map(|(name, recorded)| Some((recorded.instance.as_deref()?, name.as_str()))).collect();
    let mut lines = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for host in now {
        let line = |difference| Line {
            host: host.name.to_string(),
            instance: host.instance.clone(),
            region: host.region.clone(),
            difference,
        };
        let named = before.get(host.name.as_str());
        match (was.get(host.instance.as_str()), named) {
            (Some(old), _) if *old != host.name.as_str() => {
                seen.insert(old);
                lines.push(line(Difference::Renamed { from: (*old).to_owned() }));
            }
            (_, Some(recorded)) if recorded.instance.as_ref().is_some_and(|id| *id != host.instance) => {
                seen.insert(host.name.as_str());
                let by = recorded.instance.clone().unwrap_or_default();
                lines.push(line(Difference::Replaced { by }));
            }
            (_, Some(recorded)) => {
                seen.insert(host.name.as_str());
                let mut changed = Vec::new();
                differences("", &recorded.vars, &Value::Object(host.vars.clone()), &mut changed);
                if !changed.is_empty() {
                    lines.push(line(Difference::Changed(changed)));
                }
            }
            (_, None) => lines.push(line(Difference::New)),
        }
    }
    for (name, recorded) in before.iter().filter(|(name, _)| !seen.contains(name.as_str())) {
        lines.push(Line {
            host: name.clone(),
            instance: recorded.instance.clone().unwrap_or_default(),
            region: recorded.region.clone().unwrap_or_default(),
            difference: Difference::Gone,
        });
    }
    lines.sort_by(|a, b| (&a.host, &a.instance).cmp(&(&b.host, &b.instance)));
    lines
}

fn differences(path: &str, before: &Value, now: &Value, found: &mut Vec<Changed>) {
    match (before, now) {
        (before, now) if before == now => {}
        (Value::Object(before), Value::Object(now)) => {
            let missing = Value::Null;
            let keys = before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)));
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let value = |map: &Map<String, Value>| map.get(key).unwrap_or(&missing).clone();
                differences(&path, &value(before), &value(now), found);
            }
        }
        (before, now) => {
            found.push(Changed { variable: path.to_owned(), before: before.clone(), now: now.clone() });
        }
    }
}

impl Line {
    /// The difference as data.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut data = json!({ "host": self.host, "instance": self.instance, "region": self.region });
        let more = match &self.difference {
            Difference::New => json!({ "difference": "new" }),
            Difference::Gone => json!({ "difference": "gone" }),
            Difference::Replaced { by } => json!({ "difference": "replaced", "instance_before": by }),
            Difference::Renamed { from } => json!({ "difference": "renamed", "host_before": from }),
            Difference::Changed(changed) => {
                let one = |changed: &Changed| json!({ "variable": changed.variable, "before": changed.before, "now": changed.now });
                json!({ "difference": "changed", "variables": changed.iter().map(one).collect::<Vec<_>>() })
            }
        };
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        data
    }
}
