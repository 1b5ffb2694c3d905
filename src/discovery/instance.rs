//! One instance as EC2 lists it (pure): its identity, and its facts in the shape that Ansible's plugin gives them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is known of one instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// `i-...`: its identity.
    pub id: String,
    /// The region that was asked, such as `us-east-1`.
    pub region: String,
    /// Its facts under the names of `DescribeInstances` in snake case; `tags` is a mapping.
    pub facts: Map<String, Value>,
}

impl Instance {
    /// The text of a fact; an empty one counts as absent, as EC2 sends it for names that an instance does not have.
    #[must_use]
    pub fn text(&self, fact: &str) -> Option<&str> {
        self.facts.get(fact)?.as_str().filter(|text| !text.is_empty())
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags()?.get(key)?.as_str()
    }

    /// Every tag.
    #[must_use]
    pub fn tags(&self) -> Option<&Map<String, Value>> {
        self.facts.get("tags")?.as_object()
    }

    /// Such as `us-east-1a`.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.facts.get("placement")?.get("availability_zone")?.as_str().filter(|text| !text.is_empty())
    }

    /// The facts behind a path; a list of one is its item, as the plugin reads names.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<Value> {
        let (first, rest) = path.split_first()?;
        step(self.facts.get(*first)?, rest)
    }
}

fn step(value: &Value, path: &[&str]) -> Option<Value> {
    if let Value::Array(items) = value {
        let mut found: Vec<Value> = items.iter().filter_map(|item| step(item, path)).collect();
        return if found.len() == 1 { found.pop() } else { Some(Value::Array(found)) };
    }
    match path.split_first() {
        None => Some(value.clone()),
        Some((first, rest)) => step(value.get(*first)?, rest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_one_is_its_item() {
        let facts = json!({ "network_interfaces": [{ "association": { "public_ip": "3.3.3.3" } }], "security_groups": [
            { "group_id": "sg-1" }, { "group_id": "sg-2" } ] });
        let instance = Instance { facts: facts.as_object().unwrap().clone(), ..Instance::default() };
        assert_eq!(instance.at(&["network_interfaces", "association", "public_ip"]), Some(json!("3.3.3.3")));
        assert_eq!(instance.at(&["security_groups", "group_id"]), Some(json!(["sg-1", "sg-2"])));
        assert_eq!(instance.at(&["security_groups", "no"]), Some(json!([])));
        assert_eq!(instance.at(&["no"]), None);
    }
}
