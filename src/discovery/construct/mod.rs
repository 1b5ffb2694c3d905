//! Turns instances into an inventory document, so that they meet hand-written hosts by the same rules (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::Instance;
use super::source::{DiscoverySource, Reference};
use crate::fleet::HostName;
use crate::inventory::{Entry, Node, NodeValue};
use crate::problem::Problem;

impl DiscoverySource {
    /// Makes a document with the group `aws_ec2` and the keyed groups, in order of name.
    ///
    /// An instance without a name, and two with the same, are problems.
    #[must_use]
    pub fn document(&self, instances: &[Instance], problems: &mut Vec<Problem>) -> Node {
        let mut hosts: BTreeMap<String, (&Instance, Node)> = BTreeMap::new();
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for instance in instances {
            let Some(name) = self.name(instance, problems) else { continue };
            for keyed in &self.keyed_groups {
                if let Some(value) = keyed.key.of(instance) {
                    let group = sanitised(&format!("{}{}{value}", keyed.prefix, keyed.separator));
                    groups.entry(group).or_default().insert(name.clone());
                }
            }
            if let Some((other, _)) = hosts.insert(name.clone(), (instance, self.vars(instance))) {
                let message = format!("the instances `{}` and `{}` are both called `{name}`", other.id, instance.id);
                problems.push(Problem::new("HW0123", message).at(&self.span));
            }
        }
        let mut document: Vec<Entry> = Vec::new();
        let all: Vec<Entry> = hosts.into_iter().map(|(name, (_, vars))| self.entry(name, vars)).collect();
        document.push(self.group("aws_ec2", all));
        for (group, names) in groups {
            let members = names.into_iter().map(|name| self.entry(name, self.node(NodeValue::Null))).collect();
            document.push(self.group(&group, members));
        }
        self.node(NodeValue::Map(document))
    }

    fn name(&self, instance: &Instance, problems: &mut Vec<Problem>) -> Option<String> {
        let default = [Reference::PrivateDns, Reference::PrivateIp];
        let references = if self.hostnames.is_empty() { default.as_slice() } else { &self.hostnames };
        let Some(name) = references.iter().find_map(|reference| reference.of(instance)) else {
            let message = format!("the instance `{}` has none of the `hostnames`", instance.id);
            problems.push(Problem::new("HW0123", message).at(&self.span).hint("tag it, or name another attribute"));
            return None;
        };
        match HostName::new(name) {
            Ok(name) => Some(name.to_string()),
            Err(error) => {
                let message = format!("the instance `{}`: {error}", instance.id);
                problems.push(Problem::new("HW0123", message).at(&self.span));
                None
            }
        }
    }

    /// Ansible's names for an instance's facts, then `zone` and `ansible_host`, then what `compose` says.
    fn vars(&self, instance: &Instance) -> Node {
        let text = |value: &str| self.node(NodeValue::Text(value.to_owned()));
        let mut vars: BTreeMap<String, Node> = BTreeMap::new();
        let facts = [
            ("instance_id", Some(&instance.id)),
            ("instance_type", Some(&instance.instance_type)),
            ("private_ip_address", instance.private_ip.as_ref()),
            ("public_ip_address", instance.public_ip.as_ref()),
            ("private_dns_name", instance.private_dns.as_ref()),
            ("public_dns_name", instance.public_dns.as_ref()),
            ("zone", Some(&instance.zone)),
            ("ansible_host", instance.private_ip.as_ref()),
        ];
        for (name, value) in facts {
            if let Some(value) = value {
                vars.insert(name.to_owned(), text(value));
            }
        }
        let tags = instance.tags.iter().map(|(key, value)| self.entry(key.clone(), text(value))).collect();
        vars.insert("tags".to_owned(), self.node(NodeValue::Map(tags)));
        for (name, reference) in &self.compose {
            if let Some(value) = reference.of(instance) {
                vars.insert(name.clone(), text(value));
            }
        }
        self.node(NodeValue::Map(vars.into_iter().map(|(name, value)| self.entry(name, value)).collect()))
    }

    fn group(&self, name: &str, hosts: Vec<Entry>) -> Entry {
        let hosts = self.entry("hosts".to_owned(), self.node(NodeValue::Map(hosts)));
        self.entry(name.to_owned(), self.node(NodeValue::Map(vec![hosts])))
    }

    fn entry(&self, key: String, value: Node) -> Entry {
        Entry { key, key_span: self.span.clone(), value }
    }

    fn node(&self, value: NodeValue) -> Node {
        Node { span: self.span.clone(), value }
    }
}

/// Group names hold letters, digits and `_`, as Ansible makes them.
fn sanitised(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}
