//! Lays discovered hosts out as an inventory (pure): once as a document, once as text, with the same meaning.
//!
//! Both come from the same text of each host, so a snapshot means what the answer meant that it was made from.

use std::fmt::Write;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::construct::DiscoveredHost;
use super::text;
use crate::fleet::HostName;
use crate::inventory::{Entry, Node, NodeValue, yaml};
use crate::problem::{Problem, Source, Span};

/// The group that holds every discovered host, as with Ansible's plugin.
pub(super) const EVERY: &str = "aws_ec2";

/// What a group holds.
#[derive(Debug, Default)]
struct Contents<'a> {
    hosts: IndexSet<&'a HostName>,
    children: IndexSet<&'a str>,
}

/// The groups beside [`EVERY`], in the order in which hosts name them.
fn groups(hosts: &[DiscoveredHost]) -> IndexMap<&str, Contents<'_>> {
    let mut groups: IndexMap<&str, Contents<'_>> = IndexMap::new();
    for host in hosts {
        for membership in &host.groups {
            groups.entry(&membership.group).or_default().hosts.insert(&host.name);
            if let Some(parent) = &membership.parent {
                groups.entry(parent).or_default().children.insert(&membership.group);
            }
        }
    }
    groups
}

/// Writes the hosts as a YAML inventory.
#[must_use]
pub(super) fn inventory(hosts: &[DiscoveredHost]) -> String {
    let mut out = format!("{EVERY}:\n  hosts:\n");
    for host in hosts {
        let _ = writeln!(out, "    {}:", text::scalar(host.name.as_str()));
        out.push_str(&text::mapping(&host.vars, 6));
    }
    for (group, contents) in groups(hosts) {
        let _ = writeln!(out, "{}:", text::scalar(group));
        let sections: [(&str, Vec<&str>); 2] = [
            ("hosts", contents.hosts.iter().map(|host| host.as_str()).collect()),
            ("children", contents.children.into_iter().collect()),
        ];
        for (section, names) in sections.into_iter().filter(|(_, names)| !names.is_empty()) {
            let _ = writeln!(out, "  {section}:");
            for name in names {
                let _ = writeln!(out, "    {}:", text::scalar(name));
            }
        }
    }
    out
}

/// Makes the hosts a document; each value's place is in a text of its instance, which names file, instance and region.
#[must_use]
pub(super) fn document(file: &str, hosts: &[DiscoveredHost], problems: &mut Vec<Problem>) -> Node {
    let source = Arc::new(Source { name: file.to_owned(), text: String::new() });
    let nowhere = Span::new(source, 0..0);
    let mut every: Vec<Entry> = Vec::new();
    for host in hosts {
        let (span, vars) = host_node(file, host, problems);
        every.push(Entry { key: host.name.to_string(), key_span: span, value: vars });
    }
    let places: IndexMap<&HostName, &Span> =
        hosts.iter().map(|host| &host.name).zip(every.iter().map(|entry| &entry.key_span)).collect();
    let null = |key: &str, span: &Span| {
        let value = Node { span: span.clone(), value: NodeValue::Null };
        Entry { key: key.to_owned(), key_span: span.clone(), value }
    };
    let map = |key: &str, entries: Vec<Entry>| {
        let span = entries.first().map_or(&nowhere, |entry| &entry.key_span).clone();
        let value = Node { span: span.clone(), value: NodeValue::Map(entries) };
        Entry { key: key.to_owned(), key_span: span, value }
    };
    let mut document = Vec::new();
    for (group, contents) in groups(hosts) {
        let of_host = |host: &&HostName| null(host.as_str(), places.get(*host).copied().unwrap_or(&nowhere));
        let members: Vec<Entry> = contents.hosts.iter().map(of_host).collect();
        let children: Vec<Entry> = contents.children.iter().map(|child| null(child, &nowhere)).collect();
        let sections = [("hosts", members), ("children", children)];
        let sections = sections.into_iter().filter(|(_, entries)| !entries.is_empty());
        document.push(map(group, sections.map(|(section, entries)| map(section, entries)).collect()));
    }
    document.insert(0, map(EVERY, vec![map("hosts", every)]));
    Node { span: nowhere.clone(), value: NodeValue::Map(document) }
}

/// The variables of one host, read from the text that a snapshot would have.
fn host_node(file: &str, host: &DiscoveredHost, problems: &mut Vec<Problem>) -> (Span, Node) {
    let name = format!("{file}: {} of {}", host.instance, host.region);
    let source = Arc::new(Source { name, text: text::mapping(&host.vars, 0) });
    let span = Span::new(Arc::clone(&source), 0..source.text.find('\n').unwrap_or_default());
    let node = yaml::read(&source, problems).unwrap_or_else(|| Node { span: span.clone(), value: NodeValue::Null });
    (span, node)
}
